import { GatewayError, type PluginDefinition } from '../api/index.js';

/** Services that a program may lack; a plugin that requires one is told by its absence. */
const OPTIONAL: ReadonlySet<string> = new Set(['streamClaims']);

/**
 * What a plugin requires of the services that a program offers, and nothing else.
 * @throws GatewayError `PLUGIN_SERVICE_MISSING` for a service that is not offered, `PLUGIN_SERVICE_REFUSED` for a
 *   parser that requires one
 */
export function requiredServices<Offered extends object>(
  { id, kind, requires = [] }: Pick<PluginDefinition, 'id' | 'kind' | 'requires'>,
  services: Offered,
): Partial<Offered> {
  const offered = services as Readonly<Record<string, unknown>>;
  const given: Record<string, unknown> = {};
  for (const name of requires as readonly string[]) {
    if (kind === 'parser') {
      throw new GatewayError(
        'PLUGIN_SERVICE_REFUSED',
        `The parser ${id} requires the service "${name}".`,
        'A parser decodes what it is given; have a source or a sink use the service.',
      );
    }
    const service = offered[name];
    if (service === undefined && !OPTIONAL.has(name)) {
      throw new GatewayError(
        'PLUGIN_SERVICE_MISSING',
        `The plugin ${id} requires the service "${name}", which this program does not offer.`,
        'Use a plugin that is made for this program.',
      );
    }
    if (service !== undefined) given[name] = typeof service === 'function' ? service.bind(services) : service;
  }
  return given as Partial<Offered>;
}
