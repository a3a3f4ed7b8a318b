import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { canonicalIp, coerceIp } from '@activity-gateway/pipeline/helpers';
import type { Principal } from '../../api-keys/index.js';

/** Who makes a request, and from where: what the audit trail keeps of it. */
export interface Caller extends Principal {
  /** Remote address, canonical. */
  readonly from: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any controller for everything that needs a key. */
    caller: Caller | null;
  }
}

/** Prepares requests to carry their caller. */
export function declareCaller(instance: FastifyInstance): void {
  instance.decorateRequest('caller', null);
}

/**
 * The client's address as the gateway writes addresses: what a trusted proxy says of it, otherwise the one that
 * connects. Proxies add ports; what is no address at all is not passed on.
 */
export function addressOf(request: FastifyRequest): string {
  const remote = request.socket.remoteAddress ?? '';
  return coerceIp(request.ip) ?? canonicalIp(remote) ?? remote;
}

/** Gives a controller the caller. */
export const FromCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  // Only a route outside /api can get here without one, which is a mistake of ours and no caller's.
  if (caller === null) throw new Error('This route needs a key and has none.');
  return caller;
});
