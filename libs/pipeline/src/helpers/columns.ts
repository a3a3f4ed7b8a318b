import type { FieldKind, FieldValue, JsonSchema, Origin } from '../api/index.js';
import { requiredScalar, scalar, scalarList } from './schema.js';

/** What a column's function may use beside the message. */
export interface DecodeContext {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  readonly origin: Origin;
}

/** How a column reads its value. */
export type ColumnReader =
  'time' | 'text' | 'path' | 'ip' | 'uint8' | 'uint16' | 'uint64' | 'bool' | 'text-list' | 'function';

/** Everything that is declared of a column; `defineParser` makes schema, event type and decoder from it. */
export interface ColumnFacts {
  readonly kind: FieldKind;
  readonly reader: ColumnReader;
  /** Names of the key in a message: its own, and then others, of which the first that is sent counts. */
  readonly keys: readonly string[];
  readonly nullable: boolean;
  readonly required: boolean;
  /** A value of a wrong type makes the event a dead letter instead of going to `extra`. */
  readonly strict: boolean;
  /** The value of a `bool` that is not sent. */
  readonly fallback: boolean;
  /** A text that says more than the address is kept in `extra`. */
  readonly keepsText: boolean;
  readonly map?: (value: never) => FieldValue;
  /** Of a column with the reader `function`. */
  readonly read?: (prepared: never, context: DecodeContext) => FieldValue;
}

/** A column of a parser's table. Immutable: each method gives another column. */
export class Column<Value extends FieldValue = FieldValue> {
  constructor(readonly facts: ColumnFacts) {}

  /** An event without the key, or with an empty value, is a dead letter `missing_key`. */
  required(): Column<Value> {
    return this.#with({ required: true, nullable: false });
  }

  /** A value of a wrong type makes the event a dead letter: for keys that say too much to be left out. */
  strict(): Column<Value> {
    return this.#with({ strict: true });
  }

  /** Maps each value that was read; must be cheap and must not throw. */
  map(map: (value: Value) => Value): Column<Value> {
    return this.#with({ map });
  }

  #with(facts: Partial<ColumnFacts>): Column<Value> {
    return new Column({ ...this.facts, ...facts });
  }
}

/** A column of addresses. */
export class IpColumn extends Column<string | null> {
  /** Keeps a text that says more than the address (a port, a zone) or none in `extra`. */
  keepText(): Column<string | null> {
    return new Column({ ...this.facts, keepsText: true });
  }
}

/** A column of booleans. */
export class BoolColumn extends Column<boolean> {
  /** The value where the key is not sent; false without it. */
  default(fallback: boolean): Column<boolean> {
    return new Column({ ...this.facts, fallback });
  }
}

const PLAIN = { nullable: false, required: false, strict: false, fallback: false, keepsText: false };

/** The event's time, as `parseEventTime` reads it, within `max_event_age` and `max_clock_skew`. One key and one other name at most. */
export function time(...keys: readonly [string, string?]): Column<number> {
  const names = keys.filter((key) => key !== undefined);
  return new Column({ ...PLAIN, kind: 'time', reader: 'time', keys: names, required: true });
}

/** Few different texts, at most about 10,000. */
export function keyword(...keys: readonly string[]): Column<string> {
  return new Column({ ...PLAIN, kind: 'keyword', reader: 'text', keys });
}

/** Many different texts. */
export function text(...keys: readonly string[]): Column<string> {
  return new Column({ ...PLAIN, kind: 'text', reader: 'text', keys });
}

/** A path, of `MAX_PATH_LENGTH` characters at most. */
export function path(...keys: readonly string[]): Column<string> {
  return new Column({ ...PLAIN, kind: 'text', reader: 'path', keys });
}

/** An address as `readIp` reads it; NULL where there is none. */
export function ip(...keys: readonly string[]): IpColumn {
  return new IpColumn({ ...PLAIN, kind: 'ip', reader: 'ip', keys, nullable: true });
}

/** A whole number, NULL where there is none. */
export function uint(
  kind: 'uint8' | 'uint16' | 'uint64',
  ...keys: readonly string[]
): Column<number | bigint | null> {
  return new Column({ ...PLAIN, kind, reader: kind, keys, nullable: true });
}

/** True or false, as `coerceBool` reads it. */
export function bool(...keys: readonly string[]): BoolColumn {
  return new BoolColumn({ ...PLAIN, kind: 'bool', reader: 'bool', keys });
}

/** Texts from an array or a comma list. */
export function textList(...keys: readonly string[]): Column<readonly string[]> {
  return new Column({ ...PLAIN, kind: 'text[]', reader: 'text-list', keys });
}

/**
 * A column that a function makes, where a message is not flat. One function for each column: the engine then learns the
 * shapes at each place.
 * @param read given what `prepare` made of the message, or the message; may throw RejectError
 */
export function from<Prepared, Value extends FieldValue>(
  kind: FieldKind,
  read: (prepared: Prepared, context: DecodeContext) => Value,
  { nullable = false }: { readonly nullable?: boolean } = {},
): Column<Value> {
  return new Column({ ...PLAIN, kind, reader: 'function', keys: [], nullable, read });
}

/** The schema of a column's keys. */
export function schemaOf({ reader, keys, required }: ColumnFacts): JsonSchema {
  const mustBeThere = required && keys.length === 1;
  if (reader === 'time') return mustBeThere ? { type: 'string' } : { type: ['string', 'null'] };
  if (reader === 'text-list') return scalarList;
  return mustBeThere ? requiredScalar : scalar;
}
