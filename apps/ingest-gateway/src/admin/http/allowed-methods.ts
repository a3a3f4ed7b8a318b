import type { FastifyInstance } from 'fastify';
import { declaredRules } from './route-access.js';

/** The routes of an instance. */
export interface Routes {
  /** Which methods a path knows, so that a wrong method can be told from a wrong path. */
  methodsOf(path: string): string[];
  /** Every route as `GET /path/:parameter`. */
  list(): string[];
}

/**
 * Watches the routes of an instance; to be called before any is added. A route that has declared no rules is refused: who
 * may use it must not be a matter of where it lies.
 */
export function watchRoutes(instance: FastifyInstance): Routes {
  const routes: { readonly url: string; readonly pattern: RegExp; readonly methods: readonly string[] }[] =
    [];
  instance.addHook('onRoute', ({ url, method, config }) => {
    if (declaredRules(config) === undefined) {
      throw new Error(
        `The route ${String(method)} ${url} does not say who may use it: give it @Doc or @RouteAccess.`,
      );
    }
    routes.push({ url, pattern: toPattern(url), methods: [method].flat() });
  });
  return {
    methodsOf: (path) => [
      ...new Set(routes.filter((route) => route.pattern.test(path)).flatMap((route) => route.methods)),
    ],
    list: () => routes.flatMap(({ url, methods }) => methods.map((method) => `${method} ${url}`)),
  };
}

function toPattern(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : escape(part)));
  return new RegExp(`^${parts.join('/')}/?$`);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
