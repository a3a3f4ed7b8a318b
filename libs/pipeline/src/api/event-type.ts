/**
 * What a field of a record holds. Kinds are logical: each sink maps them to its own types
 * (`docs/reference/plugin-api.md` lists ClickHouse's).
 *
 * | kind | value in a record |
 * |---|---|
 * | `time` | milliseconds since 1970-01-01 UTC, an integer |
 * | `text` | string; many different values |
 * | `keyword` | string; few different values (at most about 10,000), sent as a dictionary |
 * | `ip` | canonical text of an IPv4 or IPv6 address, as `coerceIp` returns it |
 * | `uint8` `uint16` `uint64` | non-negative integer; `uint64` may be a bigint above 2^53 |
 * | `bool` | boolean |
 * | `text[]` `keyword[]` `uint64[]` `bool[]` | array of the above |
 * | `keyword-map` | `Map` from keyword to text |
 */
export type FieldKind =
  | 'time'
  | 'text'
  | 'keyword'
  | 'ip'
  | 'uint8'
  | 'uint16'
  | 'uint64'
  | 'bool'
  | 'text[]'
  | 'keyword[]'
  | 'uint64[]'
  | 'bool[]'
  | 'keyword-map';

/** One field of a record. `nullable` fields hold `null` where nothing is known; the others always hold a value. */
export interface FieldSpec {
  readonly kind: FieldKind;
  readonly nullable?: boolean;
}

/** A value of a record's field, by the field's kind. */
export type FieldValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly string[]
  | readonly (number | bigint)[]
  | readonly boolean[]
  | ReadonlyMap<string, string>;

/** A decoded event: one property for each field of its event type, always all of them and in the same order. */
export type EventRecord = Record<string, FieldValue>;

/**
 * How a field is indexed. `value`: the whole value is looked up. `words`: words of a text are looked up, in any case of
 * the letters.
 */
export type IndexKind = 'value' | 'words';

/** How records of a type are stored by sinks that have tables. */
export interface EventStorage {
  /** Field that tells a record's age: partitions and retention go by it, and the newest records are shown first. */
  readonly time: string;
  /** Fields after the hour of `time` in the sort key: what reports filter by, the one with the fewest values first. */
  readonly orderBy: readonly string[];
  /** Fields that reports look up although the sort key does not lead to them. */
  readonly indexes: Readonly<Record<string, IndexKind>>;
}

/** Fields that answer a question which is asked about events of any type. */
export interface SearchRoles {
  /** Who did it: names and ids of users. */
  readonly actor: readonly string[];
  /** Where it was done: names of hosts. The sender's host is always one of them and is not listed. */
  readonly host: readonly string[];
  /** What was done. */
  readonly action: readonly string[];
  /** What it was done to. */
  readonly object: readonly string[];
  /** Network addresses. */
  readonly address: readonly string[];
}

/**
 * A kind of record that a parser produces. `name` is also where sinks put it (table, file), in lower_snake_case.
 * A field `a.b` is part `b` of the nested group `a`; all parts of a group hold arrays of one length.
 */
export interface EventType {
  readonly name: string;
  /** Name in REST, reports and dead letters, such as `file`. */
  readonly type: string;
  /** Further names that REST takes for `type`, in any case of the letters. */
  readonly aliases: readonly string[];
  readonly fields: Readonly<Record<string, FieldSpec>>;
  readonly storage: EventStorage;
  readonly search: SearchRoles;
}

/**
 * What the gateway knows of every event and the payload cannot set. Sinks write these beside an event type's own
 * fields, from the batch: `received_at`, `agent_spki`, `agent_host`, `source_ip`, `ingest_batch`.
 */
export const METADATA_FIELDS = Object.freeze({
  received_at: { kind: 'time' },
  agent_spki: { kind: 'keyword' },
  agent_host: { kind: 'keyword' },
  source_ip: { kind: 'ip' },
  ingest_batch: { kind: 'text' },
} satisfies Record<string, FieldSpec>);
