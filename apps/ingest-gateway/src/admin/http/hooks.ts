import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createProblem, pathOf } from './problem.js';
import { sendProblem } from './problem.filter.js';
import { watchRoutes } from './allowed-methods.js';

/** Whether a request with this `Authorization` header may use the API. */
export type Authorize = (authorization: string | undefined) => boolean;

/** Answers are for programs and for nobody's cache. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/**
 * What happens before any controller: security headers on every answer, the admin key for everything under `/api`
 * before a body is read, and 405 for a known path with another method.
 */
export function addHooks(instance: FastifyInstance, authorize: Authorize): void {
  const allowedMethods = watchRoutes(instance);
  instance.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS);
    if (isApi(request) && !authorize(request.headers.authorization)) return refuse(request, reply);
    if (!request.is404) return undefined;
    const methods = allowedMethods(pathOf(request.url));
    return methods.length > 0 ? refuseMethod(request, reply, methods) : undefined;
  });
}

/** The router matches decoded paths, so that is what is looked at; what cannot be decoded matches no route. */
function isApi(request: FastifyRequest): boolean {
  const route = request.routeOptions.url;
  return /^\/api(\/|$)/i.test(route ?? pathOf(request.url));
}

function refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const detail = 'This needs the admin key: send the header "Authorization: Bearer <admin key>".';
  void reply.header('www-authenticate', 'Bearer realm="gateway"');
  sendProblem(reply, createProblem(401, 'UNAUTHORIZED', detail, request.url));
  return reply;
}

function refuseMethod(
  request: FastifyRequest,
  reply: FastifyReply,
  methods: readonly string[],
): FastifyReply {
  const detail = `${request.method} is not possible here; ${methods.join(', ')} is.`;
  void reply.header('allow', methods.join(', '));
  sendProblem(reply, createProblem(405, 'METHOD_NOT_ALLOWED', detail, request.url));
  return reply;
}
