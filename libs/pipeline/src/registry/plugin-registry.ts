import {
  API_VERSION,
  deadLetters,
  type EventType,
  GatewayError,
  type PluginDefinition,
  type PluginKind,
} from '../api/index.js';

const ID_PATTERN = /^(sources|parsers|sinks)\.[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** Table in which the gateway records the steps of its own schema. */
const JOURNAL = 'schema_migrations';

/** The plugins that pipelines may use, by id. */
export class PluginRegistry {
  readonly #byId = new Map<string, PluginDefinition>();
  readonly #eventTypes = new Map<string, EventType>();

  /**
   * @throws GatewayError for a malformed or doubled id, a kind that the id denies, another API version, or an event
   *   type whose name or `type` another event type has
   */
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

  /** What all parsers produce, each once, in the order of the definitions; without the dead letters. */
  eventTypes(): readonly EventType[] {
    return [...this.#eventTypes.values()];
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
    if (!('eventTypes' in definition)) return;
    for (const type of definition.eventTypes) this.#addEventType(id, type);
  }

  #addEventType(id: string, type: EventType): void {
    if ((type as Partial<EventType>).storage === undefined) {
      throw new GatewayError(
        'EVENT_TYPE_INVALID',
        `The plugin ${id} has an event type "${type.name}" that no defineEventType has made.`,
        'Its author declares it with defineEventType.',
      );
    }
    if (this.#eventTypes.get(type.name) === type) return;
    const taken = new Set([deadLetters, ...this.#eventTypes.values()].flatMap(namesOf)).add(JOURNAL);
    const doubled = namesOf(type).find((name) => taken.has(name));
    if (doubled !== undefined) {
      throw new GatewayError(
        'EVENT_TYPE_DOUBLED',
        `The plugin ${id} brings the event type "${type.name}", and "${doubled}" is the name of another event type.`,
        'Rename it, or have both plugins import one declaration.',
      );
    }
    this.#eventTypes.set(type.name, type);
  }
}

/** The names of tables and of REST have to differ only among themselves; aliases are REST's. */
function namesOf({ name, type, aliases }: EventType): string[] {
  const ofRest = [type, ...aliases].map((text) => `type=${text.toLowerCase()}`);
  return [name, ...new Set(ofRest)];
}
