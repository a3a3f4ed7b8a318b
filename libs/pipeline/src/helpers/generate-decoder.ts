import { RejectError, type EventRecord } from '../api/index.js';
import {
  coerceBool,
  coercePath,
  coerceText,
  coerceTextList,
  coerceUint16,
  coerceUint64,
  coerceUint8,
  missingKey,
  requireText,
} from './coerce.js';
import { readIp } from './coerce-ip.js';
import type { ColumnFacts, DecodeContext } from './columns.js';
import { compileFunction } from '../fast/index.js';
import type { EventTimeWindow } from './event-time.js';
import { extraText, keepIpText, type Extra, type KnownKeys } from './extra.js';
import { pointer } from './reject.js';

/** A check of a record, as code: the engine then reads its fields at places of their own. */
export interface RecordCheck {
  /** Expression over `record` that is true when the record has to be rejected; `when` is the function below. */
  readonly fails: (when: string) => string;
  readonly when?: (record: EventRecord) => boolean;
  readonly error: () => RejectError;
}

/** What a decoder is generated from. */
export interface DecoderParts {
  /** By the name of the field, in the order of the record, without `extra`. */
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  readonly window: EventTimeWindow;
  readonly known: KnownKeys;
  /** As in `ParserTable`. */
  readonly hostKey?: string;
  readonly checks: readonly RecordCheck[];
  readonly prepare?: (message: never, context: DecodeContext) => unknown;
  /** Adds to what `known` does not know. */
  readonly extra?: (rest: Extra | undefined, prepared: never, context: DecodeContext) => Extra | undefined;
}

/** Makes the record of a message that fits its schema. @throws RejectError; of several faults it tells the first column's */
export type Decode = (message: unknown, context: DecodeContext) => EventRecord;

const HELPERS = {
  coerceBool,
  coercePath,
  coerceText,
  coerceTextList,
  coerceUint8,
  coerceUint16,
  coerceUint64,
  extraText,
  keepIpText,
  readIp,
  requireText,
  requireValue,
};

/**
 * Generates the decoder of a table: the code that one would write by hand, a call for each column and one object literal.
 *
 */
export function generateDecoder(parts: DecoderParts): Decode {
  const { columns, window, known, checks, prepare, extra } = parts;
  const scope: Record<string, unknown> = { ...HELPERS, window, known, prepare, extra };
  const names = [...columns.keys()];
  const facts = [...columns.values()];
  const readings = facts.flatMap((each, at) =>
    each.reader === 'ip' ? [`const ip${at} = ${readingOf(each)};`] : [],
  );
  const members = facts.map(
    (each, at) => `${JSON.stringify(names[at])}: ${valueOf(each, at, prepare !== undefined, scope)}`,
  );
  const body = [
    prepare === undefined ? '' : 'const prepared = prepare(message, context);',
    ...readings,
    `const record = { ${members.join(', ')}, "extra": extraText(${extraOf(parts)}) };`,
    ...checks.map(({ fails, when, error }, at) => {
      scope[`when${at}`] = when;
      scope[`error${at}`] = error;
      return `if (${fails(`when${at}`)}) throw error${at}();`;
    }),
    'return record;',
  ];
  return compileFunction<Decode>(['message', 'context'], body.join('\n'), scope);
}

/** The expression for a column's value. */
function valueOf(facts: ColumnFacts, at: number, prepares: boolean, scope: Record<string, unknown>): string {
  const { map, read, reader } = facts;
  if (reader === 'ip') return `ip${at}.address`;
  const value =
    reader === 'function' ? `read${at}(${prepares ? 'prepared' : 'message'}, context)` : readingOf(facts);
  if (read !== undefined) scope[`read${at}`] = read;
  if (map === undefined) return value;
  scope[`map${at}`] = map;
  return `map${at}(${value})`;
}

function readingOf({ reader, keys, required, fallback }: ColumnFacts): string {
  const [key = '', ...others] = keys;
  const sent = keys.map((each) => `message[${JSON.stringify(each)}]`).join(' ?? ');
  const field = JSON.stringify(pointer(key));
  switch (reader) {
    case 'time':
      return others.length === 0
        ? `window.read(${sent}, context.receivedAt, ${field})`
        : `window.readOf(message, ${JSON.stringify(key)}, ${JSON.stringify(others[0])}, context.receivedAt)`;
    case 'text':
      return `${required ? 'requireText' : 'coerceText'}(${sent}, ${field})`;
    case 'ip':
      return `readIp(${sent})`;
    case 'bool':
      return `coerceBool(${sent}, ${fallback}, ${field})`;
    default: {
      const call = `${COERCE[reader]}(${sent}, ${field})`;
      return required ? `requireValue(${call}, ${field})` : call;
    }
  }
}

const COERCE: Readonly<Record<string, string>> = {
  path: 'coercePath',
  uint8: 'coerceUint8',
  uint16: 'coerceUint16',
  uint64: 'coerceUint64',
  'text-list': 'coerceTextList',
};

function requireValue<T>(value: T, field: string): T {
  if (value === null || value === '') throw missingKey(field);
  return value;
}

/** The expression for the record's `extra`. A message that is text has no keys. */
function extraOf({ columns, hostKey, extra, prepare }: DecoderParts): string {
  const same = hostKey === undefined ? '' : `, ${JSON.stringify(hostKey)}, context.origin.senderHost`;
  let code = `(typeof message === 'string' ? undefined : known.rest(message${same}))`;
  if (extra !== undefined) code = `extra(${code}, ${prepare ? 'prepared' : 'message'}, context)`;
  [...columns.values()].forEach(({ reader, keepsText, keys: [key] }, at) => {
    if (reader === 'ip' && keepsText) code = `keepIpText(${code}, message, ${JSON.stringify(key)}, ip${at})`;
  });
  return code;
}

/** A rule over several columns, for `defineParser`. */
export type Rule = (columns: ReadonlyMap<string, ColumnFacts>) => RecordCheck;

/** At least one of some text columns has to say something. */
export function oneOf(...fields: readonly [string, string, ...string[]]): Rule {
  return (columns) => {
    const keys = fields.map((field) => keyOf(columns, field));
    const message = `One of ${keys.slice(0, -1).join(', ')} and ${keys.at(-1)} is required.`;
    return {
      fails: () => fields.map((field) => `record[${JSON.stringify(field)}] === ""`).join(' && '),
      error: () => new RejectError('missing_key', pointer(keys[0] ?? ''), message),
    };
  };
}

/** A text column that has to say something in some records. */
export function requiredWhen(field: string, when: (record: EventRecord) => boolean): Rule {
  return (columns) => {
    const at = pointer(keyOf(columns, field));
    return {
      fails: (name) => `record[${JSON.stringify(field)}] === "" && ${name}(record)`,
      when,
      error: () => missingKey(at),
    };
  };
}

function keyOf(columns: ReadonlyMap<string, ColumnFacts>, field: string): string {
  const key = columns.get(field)?.keys[0];
  if (key === undefined) throw new TypeError(`A rule names "${field}", which is not a column with a key.`);
  return key;
}
