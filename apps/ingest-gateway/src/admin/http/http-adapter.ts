import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import type { Metrics } from '@activity-gateway/pipeline/api';
import { CidrList, coerceIp } from '@activity-gateway/pipeline/helpers';
import type { RequestRates } from '../../dependencies.js';
import type { Authenticate, RejectedRequest } from './access.js';
import { AllowedHosts } from './allowed-hosts.js';
import type { Routes } from './allowed-methods.js';
import { ConnectionLimits } from './connection-limits.js';
import { addHooks } from './hooks.js';
import { codeOfStatus, createProblem, PROBLEM_TYPE } from './problem.js';
import { sendProblem } from './problem.filter.js';
import { RequestLimits } from './request-limits.js';

/** Largest body of a request, bytes. */
export const BODY_LIMIT = 1_048_576;
/** Time for a whole request to come in, ms. */
const REQUEST_TIMEOUT = 30_000;
/** Time for its headers, ms. */
const HEADERS_TIMEOUT = 10_000;
/** How often both are looked at, ms. */
const CHECK_EVERY = 5_000;
/** Time after which a connection without a request is closed, ms. */
const KEEP_ALIVE_TIMEOUT = 30_000;
/** Longest path parameter: an SPKI hash has 64 characters, and what is longer must still be told that it is none. */
const MAX_PARAM_LENGTH = 1_024;

/** What the HTTP side is made from. */
export interface HttpAdapterOptions {
  readonly authenticate: Authenticate;
  readonly http: GatewayConfig['http'];
  /** Others than `REQUEST_RATES`. */
  readonly rates?: Partial<RequestRates>;
  readonly metrics: Metrics;
  readonly rejected: RejectedRequest;
}

/** Fastify as the gateway uses it: limits, security headers, keys and one shape of errors. */
export async function createHttpAdapter({
  authenticate,
  http,
  rates,
  metrics,
  rejected,
}: HttpAdapterOptions): Promise<{ readonly adapter: FastifyAdapter; readonly routes: Routes }> {
  const connections = new ConnectionLimits(metrics);
  const adapter = new FastifyAdapter({
    logger: false,
    trustProxy: trusting(http.trustedProxies),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    http: { headersTimeout: HEADERS_TIMEOUT, connectionsCheckingInterval: CHECK_EVERY },
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: refuseUrl as never,
    clientErrorHandler: (error, socket) => refuseBytes(error, socket, connections),
  });
  const instance = adapter.getInstance<FastifyInstance>();
  connections.watch(instance.server);
  const limits = await RequestLimits.create(instance, rates);
  const hosts = new AllowedHosts(http.host, http.allowedHosts);
  const routes = addHooks(instance, authenticate, limits, hosts, rejected);
  countRequests(instance, metrics);
  acceptJsonOnly(instance);
  return { adapter, routes };
}

/** Whose `X-Forwarded-For` counts: nobody's but that of the proxies that are named. */
function trusting(proxies: readonly string[]): (address: string) => boolean {
  const list = new CidrList(proxies);
  return (address) => {
    const ip = coerceIp(address);
    return ip !== null && list.has(ip);
  };
}

/** Many clients announce JSON with every request: an empty body is none, and the routes that need one say so. */
function acceptJsonOnly(instance: FastifyInstance): void {
  const parse = instance.getDefaultJsonParser('error', 'error');
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

/** By route, never by path: paths are the callers' to choose. */
function countRequests(instance: FastifyInstance, metrics: Metrics): void {
  const requests = metrics.counter('gateway_http_requests_total', 'Answers of the REST API.', [
    'method',
    'route',
    'status',
  ]);
  instance.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const method = route === 'none' ? 'any' : request.method;
    requests.add(1, { method, route, status: String(reply.statusCode) });
    done();
  });
}

/** URLs that the router cannot read never reach a hook. */
function refuseUrl(
  error: Error & { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const status = error.statusCode ?? 400;
  sendProblem(reply, createProblem(status, codeOfStatus(status), error.message, request.url));
}

/** Bytes that are no HTTP have no request to answer; nor has what did not come in in time. */
function refuseBytes(error: Error & { code?: string }, socket: Socket, connections: ConnectionLimits): void {
  const status = statusOfClientError(error.code);
  const body = JSON.stringify(
    createProblem(status, codeOfStatus(status), 'The request is no valid HTTP.', ''),
  );
  connections.refuse(
    socket,
    `HTTP/1.1 ${status} \r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function statusOfClientError(code: string | undefined): number {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
}
