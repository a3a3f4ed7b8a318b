import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type { Principal } from '../../api-keys/index.js';
import { bearerOf } from '../admin-key.js';
import { addressOf } from './caller.js';
import { createProblem, problemOf } from './problem.js';
import { sendProblem } from './problem.filter.js';
import type { RequestLimits } from './request-limits.js';
import { rulesOf } from './route-access.js';

/** Who a key belongs to; `undefined` when the key is invalid. May reject with `STORE_UNAVAILABLE`. */
export type Authenticate = (key: string | undefined) => Promise<Principal | undefined>;

/** Told of each request that is rejected for whom it comes from, with the code of the problem. */
export type RejectedRequest = (request: FastifyRequest, code: string) => void;

/**
 * Asks for the key that the route has declared, before a body is read, and counts the request: the key is looked at first,
 * so that failures use up only what belongs to the one who fails.
 * @returns whether the request may go on; it has been answered when not
 */
export async function checkAccess(
  request: FastifyRequest,
  reply: FastifyReply,
  authenticate: Authenticate,
  limits: RequestLimits,
  rejected: RejectedRequest,
): Promise<boolean> {
  const { access } = rulesOf(request);
  if (access === 'open') return limits.admit('open', request, reply);
  try {
    const principal = await authenticate(bearerOf(request.headers.authorization));
    if (principal === undefined) return await refuse(request, reply, limits, rejected);
    request.caller = { ...principal, from: addressOf(request) };
    if (!(await limits.admit('key', request, reply))) return false;
    return principal.role === 'admin' || access === 'reader' || forbid(request, reply, rejected);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (await limits.admit('failed', request, reply)) sendProblem(reply, problemOf(error, request.url));
    return false;
  }
}

async function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  limits: RequestLimits,
  rejected: RejectedRequest,
): Promise<false> {
  rejected(request, 'UNAUTHORIZED');
  if (!(await limits.admit('failed', request, reply))) return false;
  const detail = 'This needs an API key: send the header "Authorization: Bearer <key>".';
  void reply.header('www-authenticate', 'Bearer realm="gateway"');
  sendProblem(reply, createProblem(401, 'UNAUTHORIZED', detail, request.url));
  return false;
}

function forbid(request: FastifyRequest, reply: FastifyReply, rejected: RejectedRequest): false {
  rejected(request, 'FORBIDDEN');
  const detail = 'This needs a key with the role "admin"; yours has the role "viewer".';
  sendProblem(reply, createProblem(403, 'FORBIDDEN', detail, request.url));
  return false;
}
