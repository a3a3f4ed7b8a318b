import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest, RouteOptions } from 'fastify';
import { pathOf } from './problem.js';

/** Who may use a route. `open`: everybody; `reader`: any key; `admin`: a key with that role. */
export type Access = 'open' | 'reader' | 'admin';

/** What holds for a route before its body is read. */
export interface RouteRules {
  readonly access: Access;
  /** Whether it answers under any host, and however many requests there are. */
  readonly unlimited: boolean;
}

const READING = new Set(['GET', 'HEAD']);

/** Declares the rules of a route, for the hooks of requests. `Doc` does it with what the API document says. */
export function RouteAccess(access: Access, unlimited = false): MethodDecorator {
  const rules: RouteRules = { access, unlimited };
  return RouteConfig({ rules });
}

/** The rules that a route has declared; `undefined` for one that has none. */
export function declaredRules(config: RouteOptions['config']): RouteRules | undefined {
  return (config as { readonly rules?: RouteRules } | undefined)?.rules;
}

/**
 * The rules of the route that a request has met. One that has met none is answered with 404 or 405, under `/api` only to
 * who might use such a route: the router matches decoded paths, so what cannot be decoded matches no route.
 */
export function rulesOf(request: FastifyRequest): RouteRules {
  const declared = declaredRules(request.routeOptions.config);
  if (declared !== undefined) return declared;
  const path = pathOf(request.url).replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '');
  if (!/^\/api(\/|$)/i.test(path)) return { access: 'open', unlimited: false };
  return { access: READING.has(request.method) ? 'reader' : 'admin', unlimited: false };
}
