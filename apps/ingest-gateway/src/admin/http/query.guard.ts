import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { takesQuery } from '../../openapi/doc.decorator.js';

/**
 * Refuses every query parameter of a route that takes none: one that is passed over may be a filter that somebody relies
 * on. Routes that take some check theirs by their schema.
 */
export class QueryGuard implements CanActivate {
  /** @throws GatewayError `BAD_REQUEST`, which names every parameter */
  canActivate(context: ExecutionContext): boolean {
    if (takesQuery(context.getHandler())) return true;
    const names = Object.keys(context.switchToHttp().getRequest<FastifyRequest>().query ?? {});
    if (names.length === 0) return true;
    const shown = names.map((name) => `"${name}"`).join(', ');
    throw new GatewayError('BAD_REQUEST', `This route takes no query parameters, but the URL has ${shown}.`);
  }
}
