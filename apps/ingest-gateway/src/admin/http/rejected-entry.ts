import type { FastifyRequest } from 'fastify';
import type { AuditEvent } from '../../audit/index.js';
import { addressOf } from './caller.js';
import { pathOf } from './problem.js';

/** The entry of the audit trail for a request that was rejected for whom it comes from. Of a wrong key nothing is kept. */
export function rejectedEntry(request: FastifyRequest, code: string): AuditEvent {
  const { caller, method, routeOptions, url } = request;
  return {
    kind: 'access',
    action: 'request',
    target: `${method} ${routeOptions.url ?? pathOf(url)}`,
    actor: { id: caller?.id ?? '', name: caller?.name ?? '', from: addressOf(request) },
    outcome: code,
  };
}
