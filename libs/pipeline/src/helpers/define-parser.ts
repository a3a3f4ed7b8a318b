import {
  API_VERSION,
  defineEventType,
  definePlugin,
  type EventType,
  type EventTypeDeclaration,
  type FieldSpec,
  type JsonSchema,
  type ParserDefinition,
  type Stability,
  type Transform,
} from '../api/index.js';
import { schemaOf, type Column, type ColumnFacts, type DecodeContext } from './columns.js';
import { eventTimeOptions, EventTimeWindow, type EventTimeOptions } from './event-time.js';
import { KnownKeys, type Extra } from './extra.js';
import { generateDecoder, type Rule } from './generate-decoder.js';
import { parserTransform } from './parser-transform.js';
import { setAsideCounter } from './set-aside-counter.js';

/** A parser as a table: what is declared here is all there is to write of a flat event. */
export interface ParserTable<Message, Prepared, Options> {
  /** `parsers.door`. */
  readonly id: string;
  readonly stability: Stability;
  /** One sentence: what it does. */
  readonly summary: string;
  /** `SourceEvent.type` of the events it takes, such as `Door`. */
  readonly claims: string;
  /** What it produces: everything of the event type but its fields, which the columns are. */
  readonly eventType: Omit<EventTypeDeclaration, 'fields'>;
  /** Properties of the options' schema beside `max_event_age` and `max_clock_skew`. */
  readonly options?: Readonly<Record<string, JsonSchema>>;
  /** By field, in the order of the record. A field `extra` is added at the end: it takes the keys that no column reads. */
  readonly columns: Readonly<Record<string, Column<never> | Column>>;
  /** Checked in order when a record is made. */
  readonly rules?: readonly Rule[];
  /** Further keys that are not kept in `extra`, each with its schema: those that functions read. */
  readonly keys?: Readonly<Record<string, JsonSchema>>;
  /** Key in which messages repeat the sender's host name: it is not kept in `extra` where it says the same. */
  readonly hostKey?: string;
  /** Replaces the schema that is made of the columns, where messages are not objects. */
  readonly schema?: JsonSchema;
  /**
   * Set where messages have many keys that senders leave out: they are brought into one order first, which halves the
   * cost of
   * reading them. No gain elsewhere.
   */
  readonly arranged?: boolean;
  /** Makes, for each instance, what columns made by `from` are given in place of the message. Its function may throw RejectError. */
  readonly prepare?: (
    options: Options,
    window: EventTimeWindow,
  ) => (message: Message, context: DecodeContext) => Prepared;
  /** Adds to `extra` what neither columns nor unknown keys hold. */
  readonly extra?: (rest: Extra | undefined, prepared: Prepared, context: DecodeContext) => Extra | undefined;
}

/** A parser made of a table, and what was made of it. */
export interface TableParserDefinition<Options> extends ParserDefinition<Options> {
  readonly eventType: EventType;
  /** Schema of the messages. */
  readonly messageSchema: JsonSchema;
  /** By the name of the field, without `extra`. */
  readonly columns: ReadonlyMap<string, ColumnFacts>;
}

/** What `prepare` makes of a message where it is not given. */
type Keyed = Readonly<Record<string, unknown>>;

/**
 * Makes a parser of a table: options and their schema, event type, JSON schema of the messages, known keys and decoder. A
 * value of a wrong type costs its key and not its event (see `SetAsideOptions`), unless its column is `strict`.
 */
export function defineParser<
  Message = Keyed,
  Prepared = Message,
  Options extends EventTimeOptions = EventTimeOptions,
>(table: ParserTable<Message, Prepared, Options>): TableParserDefinition<Options> {
  const columns = new Map(Object.entries(table.columns).map(([name, { facts }]) => [name, facts]));
  const eventType = defineEventType({ ...table.eventType, fields: fieldsOf(columns) });
  const messageSchema = table.schema ?? messageSchemaOf(columns, table.keys ?? {});
  const definition = definePlugin<Options>({
    id: table.id,
    kind: 'parser',
    apiVersion: API_VERSION,
    stability: table.stability,
    summary: table.summary,
    configSchema: {
      type: 'object',
      additionalProperties: false,
      properties: { ...table.options, ...eventTimeOptions },
    },
    eventTypes: [eventType],
    create: (options, { metrics }) =>
      createTransform(
        table,
        { columns, eventType, messageSchema },
        options,
        setAsideCounter(metrics, table.id),
      ),
  });
  return Object.freeze({ ...definition, eventType, messageSchema, columns });
}

type Made = Pick<TableParserDefinition<unknown>, 'columns' | 'eventType' | 'messageSchema'>;

function createTransform<Message, Prepared, Options extends EventTimeOptions>(
  table: ParserTable<Message, Prepared, Options>,
  { columns, eventType, messageSchema }: Made,
  options: Options,
  count: (values: number) => void,
): Transform {
  const window = new EventTimeWindow(options);
  const known = knownKeys(columns, Object.keys(table.keys ?? {}));
  const prepare = table.prepare?.(options, window);
  const decode = generateDecoder({
    columns,
    window,
    known,
    ...(table.hostKey !== undefined && { hostKey: table.hostKey }),
    checks: (table.rules ?? []).map((rule) => rule(columns)),
    ...(prepare && { prepare }),
    ...(table.extra && { extra: table.extra }),
  });
  const strict = [...columns.values()].filter((facts) => facts.strict).flatMap(({ keys }) => keys);
  return parserTransform<unknown>({
    eventType,
    claims: table.claims,
    schema: messageSchema,
    setAside: { except: strict, count },
    ...(table.arranged === true && { keys: known }),
    decode: decode,
  });
}

function fieldsOf(columns: ReadonlyMap<string, ColumnFacts>): Record<string, FieldSpec> {
  const fields = [...columns].map(([name, { kind, nullable }]): [string, FieldSpec] => [
    name,
    nullable ? { kind, nullable } : { kind },
  ]);
  return { ...Object.fromEntries(fields), extra: { kind: 'text' } };
}

function messageSchemaOf(
  columns: ReadonlyMap<string, ColumnFacts>,
  further: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const facts = [...columns.values()];
  // Other names come last, so that of several faults the one of a sender's own key is told.
  const own = facts.flatMap((each) =>
    each.keys.slice(0, 1).map((key): [string, JsonSchema] => [key, schemaOf(each)]),
  );
  const others = facts.flatMap((each) =>
    each.keys.slice(1).map((key): [string, JsonSchema] => [key, schemaOf(each)]),
  );
  const required = facts.flatMap(({ required: must, keys }) => (must && keys.length === 1 ? keys : []));
  return {
    type: 'object',
    required,
    properties: { ActivityType: { type: 'string' }, ...Object.fromEntries([...own, ...others]), ...further },
  };
}

function knownKeys(columns: ReadonlyMap<string, ColumnFacts>, further: readonly string[]): KnownKeys {
  const keys: string[] = ['ActivityType', ...further];
  const aliases: Record<string, string> = {};
  for (const {
    keys: [key, ...others],
  } of columns.values()) {
    if (key === undefined) continue;
    keys.push(key);
    for (const other of others) aliases[other] = key;
  }
  return new KnownKeys(keys, aliases);
}
