import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkAccess, type Authenticate, type RejectedRequest } from './access.js';
import type { AllowedHosts } from './allowed-hosts.js';
import { watchRoutes, type Routes } from './allowed-methods.js';
import { declareCaller } from './caller.js';
import { createProblem, pathOf } from './problem.js';
import { sendProblem } from './problem.filter.js';
import type { RequestLimits } from './request-limits.js';
import { rulesOf } from './route-access.js';

/** Answers are for programs and for nobody's cache. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/**
 * What happens before any controller, in this order: security headers on every answer, the host that the request names,
 * the key that the route wants with the limits of requests, and 405 for a known path with another method. Health
 * and metrics are answered under any host and however many requests there are.
 */
export function addHooks(
  instance: FastifyInstance,
  authenticate: Authenticate,
  limits: RequestLimits,
  hosts: AllowedHosts,
  rejected: RejectedRequest,
): Routes {
  declareCaller(instance);
  const routes = watchRoutes(instance);
  instance.addHook('onRequest', async (request, reply) => {
    // What else came in one chunk with the request for which its connection was closed.
    if (request.socket.destroyed) return reply.hijack();
    void reply.headers(SECURITY_HEADERS);
    if (rulesOf(request).unlimited) return undefined;
    if (!hosts.admit(request, reply)) {
      rejected(request, 'MISDIRECTED_REQUEST');
      return reply;
    }
    if (!(await checkAccess(request, reply, authenticate, limits, rejected))) return reply;
    if (!request.is404) return undefined;
    const methods = routes.methodsOf(pathOf(request.url));
    return methods.length > 0 && !methods.includes(request.method)
      ? refuseMethod(request, reply, methods)
      : undefined;
  });
  return routes;
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
