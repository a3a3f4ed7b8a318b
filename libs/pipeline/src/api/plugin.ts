import type { Batch, Origin, RecordBatch, SourceEvent } from './batch.js';
import type { PluginContext } from './context.js';
import type { PartialWriteError } from './errors.js';
import type { EventType } from './event-type.js';
import type { DurableRanges } from './streams.js';

/** The version of this contract; the registry refuses plugins made for another. */
export const API_VERSION = 1;

/** Kinds of plugin; an id is the kind's plural, a dot and a name in lower_snake_case. */
export type PluginKind = 'source' | 'parser' | 'sink';

/** How far an integrator may rely on a plugin. */
export type Stability = 'development' | 'alpha' | 'beta' | 'stable' | 'deprecated';

/** A JSON Schema (draft-07) as Ajv takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Life of an instance: `create` (no I/O) -> `start` -> work -> `stop`. An instance is never restarted; a change
 * makes a new one. If `start` fails, `stop` is still called.
 */
export interface Lifecycle {
  /** Opens what the instance needs. Must not wait for a peer or a database that may be down: connect later, in work. */
  start?(signal: AbortSignal): Promise<void>;
  /** Safe without `start`, and twice. `deadline`: milliseconds since 1970-01-01 UTC by which it has to be done. */
  stop?(deadline: number): Promise<void>;
  /** A connection test that does what work would do; throws what is wrong. */
  check?(signal: AbortSignal): Promise<void>;
}

/**
 * Gives a batch to the pipeline. Resolves when there is room for the next one: until then the source must not read
 * on. The promise is the back-pressure. Rejects only after `stop`.
 */
export type Emit = (batch: Batch) => Promise<void>;

/** What becomes of an event that no step has decoded: a dead letter, and one log line for a batch. */
export interface UndecodedReason {
  /** As `Reject.code`. */
  readonly code: string;
  /** As `Reject.field`. */
  readonly field: string;
  /** As `Reject.message`, for an event of this type. */
  readonly message: (type: string) => string;
  readonly logMessage: string;
}

/** Where events come from. */
export interface Source extends Omit<Lifecycle, 'start'> {
  /** @param marks given where the pipeline's queue remembers which messages of senders' streams it has stored */
  start(signal: AbortSignal, emit: Emit, marks?: DurableRanges): Promise<void>;
  /**
   * Reads the raw bytes of one message again, as when it was received: a replay of dead letters does it. A source
   * without
   * it has no replays.
   * @throws RejectError for bytes that are no event
   */
  read?(raw: Buffer): SourceEvent;
  /** How its events that no parser takes are rejected; in general words without it. */
  readonly undecoded?: UndecodedReason;
}

/** Changes or decodes events of a batch. Waiting for I/O is not possible here: read a snapshot instead. */
export interface Transform extends Lifecycle {
  /**
   * Synchronous. Sets `eventType` and `record` of the events it claims, and moves bad ones from `batch.events` to
   * `batch.rejects`. Leaves events of other types alone. Does not throw for bad data.
   */
  apply(batch: Batch): void;
}

/** Bytes for one destination of a sink (a table, a file), ready to be stored and sent as they are. */
export interface EncodedEntry {
  readonly destination: string;
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** The id it was encoded under. A sink that can look entries up sets it; a queue gives it back with the bytes. */
  readonly id?: string;
  /**
   * Told, once at most, when the host needs `bytes` no more because they are on disk: the sink may use the memory again.
   * Where it is not told, the garbage collector takes it.
   */
  readonly release?: () => void;
}

/** An entry that is being made of batches of one event type. All calls are synchronous and deterministic. */
export interface Block {
  /** Adds a batch; does not change or keep it. When it throws for any sink, the host calls `undo` and rejects the event. */
  add(batch: RecordBatch): void;
  /** Removes the last batch, also when adding it has thrown. Called at most once after each `add`. */
  undo(): void;
  /**
   * Returns the entry of all batches. The host calls nothing on the block afterwards.
   * @param entryId id of the queue entry, unique and rising as text: `<gateway>/<epoch>/<sequence>`; goes to `ingest_batch`
   */
  finish(entryId: string): EncodedEntry;
}

/** Why a batch needs more than `write`. At least one of the two holds. */
export interface RecoveryCause {
  /** What `write` failed with. */
  readonly refusal?: PartialWriteError;
  /**
   * Whether an earlier attempt may have stored rows of it, or be about to: an attempt has ended without an answer, the
   * batch is of an earlier process, or it has been failing for longer than destinations remember deduplication tokens.
   */
  readonly uncertain: boolean;
}

/** A row that the destination has rejected for good, with all that its dead letter needs. */
export interface RejectedRow {
  /** As `Reject.code`. */
  readonly code: string;
  /** As `SinkError.code`. */
  readonly sinkCode: string;
  /** As `Reject.field`. */
  readonly field: string;
  /** One sentence without values of the row. */
  readonly message: string;
  /** The record as a JSON object by the names of its columns, metadata included; times in ISO 8601. */
  readonly raw: string;
  readonly origin: Pick<Origin, 'sender' | 'senderHost' | 'sourceIp'>;
  /** When the event was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  /** Index of the entry that it is in. */
  readonly entry: number;
}

/** What has become of a batch: each row is stored or rejected. */
export interface Recovery {
  /** By entry: rows that were stored before the call. */
  readonly found: readonly number[];
  /** Nothing is stored of these, and the sink keeps nothing of them: the host makes dead letters of them. */
  readonly rejected: readonly RejectedRow[];
}

/** Where records go. */
export interface Sink extends Lifecycle {
  /**
   * Begins an entry, which runs before the queue: entries of one destination can be concatenated. Blocks that are open at
   * the same time are independent; one that is not finished leaves nothing behind. `encodeOnly` makes a block of a function.
   */
  open(type: EventType): Block;
  /**
   * Sends the entries of one destination, concatenated and unchanged. No buffer, no retry: the host repeats the call
   * with the same entries and the same token until it succeeds.
   * @throws RetryableError | PermanentError | PartialWriteError; anything else counts as retryable
   */
  write(entries: readonly EncodedEntry[], token: string, signal: AbortSignal): Promise<void>;
  /**
   * Stores the rows of a batch that can be stored and are missing, each once, and tells which ones the destination rejects.
   * The host calls it again with the same entries and token until it succeeds, in a later process too, and no longer calls
   * `write` with that token. Entries carry their ids. A sink without it has its batches written again as a whole.
   * @throws RetryableError | PermanentError
   */
  recover?(
    entries: readonly EncodedEntry[],
    token: string,
    why: RecoveryCause,
    signal: AbortSignal,
  ): Promise<Recovery>;
}

/** A connection that a plugin takes or opens, for people who configure firewalls. */
export interface NetworkUse {
  /** `in`: peers connect to the gateway; `out`: the gateway connects to them. */
  readonly direction: 'in' | 'out';
  /** Its number, or the setting or option that has it, with the default. */
  readonly port: string;
  readonly protocol: 'tcp' | 'udp';
  readonly tls: 'always' | 'optional' | 'never';
  /** Who is at the other end. */
  readonly peer: string;
  /** One sentence: what for. */
  readonly purpose: string;
}

interface DefinitionBase<Kind extends PluginKind, Config, Instance, Needs extends string> {
  /** `sources.nam_tls`, `parsers.smb`, `sinks.clickhouse`; matches the folder. */
  readonly id: string;
  readonly kind: Kind;
  readonly apiVersion: typeof API_VERSION;
  readonly stability: Stability;
  /** One sentence: what it does. */
  readonly summary: string;
  /** Closed (`additionalProperties: false`); every property with a description and, where possible, a default. */
  readonly configSchema: JsonSchema;
  /**
   * Names of the services that instances use; none by default. The context holds only these, and the host refuses a
   * plugin that requires a service which the program does not offer. A domain's library names further services.
   */
  readonly requires?: readonly Needs[];
  /** Every connection that instances take or open; none by default. */
  readonly network?: readonly NetworkUse[];
  /** Makes an instance; no I/O: no sockets, files or timers. `config` has passed the schema, defaults applied. */
  create(config: Config, context: PluginContext<Needs>): Instance;
}

/**
 * Where a source runs. `each-reactor`: in every data plane process, as a source of connections does.
 * `one-per-gateway`: in one data plane process of each gateway. `one`: in one of all gateways that share a store.
 */
export type SourceInstances = 'each-reactor' | 'one-per-gateway' | 'one';

/** A plugin that brings events in. */
export interface SourceDefinition<Config = never, Needs extends string = string> extends DefinitionBase<
  'source',
  Config,
  Source,
  Needs
> {
  /** A host that cannot run it so refuses it. */
  readonly instances: SourceInstances;
  /**
   * Set where it takes what the program has once, such as the listener's connections: one pipeline at most may use
   * it.
   */
  readonly exclusive?: boolean;
}

/** A plugin that decodes events. It requires no service, so that it sees neither keys nor passwords. */
export interface ParserDefinition<Config = never> extends DefinitionBase<'parser', Config, Transform, never> {
  /** What it produces. */
  readonly eventTypes: readonly EventType[];
}

/** A plugin that takes records out. */
export type SinkDefinition<Config = never, Needs extends string = string> = DefinitionBase<
  'sink',
  Config,
  Sink,
  Needs
>;

/** Any plugin. `never` as its configuration: only the registry, which has validated one, may call `create`. */
export type PluginDefinition = SourceDefinition | ParserDefinition | SinkDefinition;

/** Types and freezes a plugin's definition. `Needs`: the names in `requires`. */
export function definePlugin<Config, Needs extends string = never>(
  definition: SourceDefinition<Config, Needs>,
): SourceDefinition<Config, Needs>;
export function definePlugin<Config>(definition: ParserDefinition<Config>): ParserDefinition<Config>;
export function definePlugin<Config, Needs extends string = never>(
  definition: SinkDefinition<Config, Needs>,
): SinkDefinition<Config, Needs>;
export function definePlugin(definition: object): object {
  return Object.freeze(definition);
}
