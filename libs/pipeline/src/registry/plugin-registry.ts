import { API_VERSION, GatewayError, type PluginDefinition, type PluginKind } from '../api/index.js';

const ID_PATTERN = /^(sources|parsers|sinks)\.[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** The plugins that pipelines may use, by id. */
export class PluginRegistry {
  readonly #byId = new Map<string, PluginDefinition>();

  /** @throws GatewayError for a malformed or doubled id, a kind that the id denies, or another API version */
  constructor(definitions: Iterable<PluginDefinition>) {
    for (const definition of definitions) this.#add(definition);
  }

  /** The definition with this id, if there is one. */
  get(id: string): PluginDefinition | undefined {
    return this.#byId.get(id);
  }

  /** All ids of a kind, sorted. */
  ids(kind?: PluginKind): string[] {
    return this.list(kind).map((definition) => definition.id);
  }

  /** All definitions of a kind, sorted by id. */
  list(kind?: PluginKind): PluginDefinition[] {
    return [...this.#byId.values()]
      .filter((definition) => kind === undefined || definition.kind === kind)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #add(definition: PluginDefinition): void {
    const { id, kind, apiVersion } = definition;
    if (!ID_PATTERN.test(id) || !id.startsWith(`${kind}s.`)) {
      throw new GatewayError(
        'PLUGIN_ID_INVALID',
        `The plugin id "${id}" does not fit a ${kind}.`,
        `Use "${kind}s." and a name in lower_snake_case.`,
      );
    }
    if (apiVersion !== API_VERSION) {
      throw new GatewayError(
        'PLUGIN_API_VERSION',
        `The plugin ${id} is made for API version ${String(apiVersion)}; this gateway has ${String(API_VERSION)}.`,
        'Use a version of the plugin that fits this gateway.',
      );
    }
    if (this.#byId.has(id)) {
      throw new GatewayError('PLUGIN_ID_DOUBLED', `Two plugins have the id "${id}".`, 'Rename one of them.');
    }
    this.#byId.set(id, definition);
  }
}
