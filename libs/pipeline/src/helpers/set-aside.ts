import { RejectError, type EventRecord, type SourceEvent } from '../api/index.js';
import type { Keyed } from '../fast/index.js';
import { extraText, nestExtra, type Extra } from './extra.js';
import { InexactNumber, isExact, parseExact } from './exact-numbers.js';

/** Values of one event that may be set aside; one with more wrong ones is a reject. */
const MAX_VALUES = 32;

/** A value taken out of a message because its type is wrong. */
interface WrongValue {
  /** Keys and list places that lead to it. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * Decodes a message without the values whose types are wrong, and keeps these in the record's `extra` at the places where
 * they were sent. In a list, null takes the place of the value.
 * @param strict   keys whose wrong type is never passed over
 * @param decode   decodes a message, throws RejectError
 * @param rejected what `decode` threw for the message as sent
 * @returns how many values were set aside; 0 when that does not help, and the event is a reject for `rejected`
 */
export function decodeWithoutWrong(
  event: SourceEvent,
  strict: readonly string[],
  decode: (message: unknown) => void,
  rejected: unknown,
): number {
  const wrong: WrongValue[] = [];
  let message: unknown = event.value;
  let error = rejected;
  let exact = false;
  for (;;) {
    if (error instanceof InexactNumber && !exact) {
      exact = true;
      message = wrong.reduce((rest, { path }) => without(rest, path), parseExact(event.raw));
    } else {
      const path = wrongPathOf(error, strict);
      const found = path && valueAt(message, path);
      if (path === undefined || found === undefined || wrong.length === MAX_VALUES) return 0;
      wrong.push({ path, value: found });
      message = without(message, path);
    }
    try {
      decode(message);
      event.record = withWrong(event.record, wrong, event);
      return wrong.length;
    } catch (next) {
      error = next;
    }
  }
}

/** The path of the value that a reject is about, where it is about a wrong type; `undefined` where it is final. */
function wrongPathOf(error: unknown, strict: readonly string[]): readonly string[] | undefined {
  if (!(error instanceof RejectError) || error.code !== 'wrong_type' || error.field === '') return undefined;
  const path = error.field
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return strict.includes(path[0] ?? '') ? undefined : path;
}

function valueAt(message: unknown, path: readonly string[]): unknown {
  let value = message;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Keyed)[step];
  }
  return value;
}

/** A copy of a message, as deep as the path, without the value there. */
function without(message: unknown, [step = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(message)) {
    const index = Number(step);
    return message.with(index, rest.length === 0 ? null : without(message[index], rest));
  }
  const { [step]: inner, ...others } = message as Keyed;
  return rest.length === 0 ? others : { ...others, [step]: without(inner, rest) };
}

function withWrong(
  record: EventRecord | undefined,
  wrong: readonly WrongValue[],
  event: SourceEvent,
): EventRecord {
  const before = record?.['extra'];
  const text = typeof before === 'string' ? before : '';
  // What has whole keys to add to need not be read again: 64 MiB take half a second.
  const whole = wrong.every(({ path }) => path.length === 1);
  let extra: unknown = text === '' || whole ? undefined : JSON.parse(text);
  // Numbers that JSON.parse rounds are kept digit for digit, as in the rest of `extra`.
  const exact = wrong.every(({ value }) => isExact(value)) ? undefined : parseExact(event.raw);
  for (const { path, value } of wrong) {
    extra = withAt(extra, event.value, path, exact === undefined ? value : valueAt(exact, path));
  }
  const added = extraText(extra as Extra);
  return { ...record, extra: whole && text !== '' ? `${text.slice(0, -1)},${added.slice(1)}` : added };
}

/** What is kept, with a value at its path; lists are as long as those of the message, so that places mean the same. */
function withAt(kept: unknown, sent: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  const inner = (sent as Keyed)[step];
  if (Array.isArray(sent)) {
    const list = Array.isArray(kept) ? (kept as readonly unknown[]) : sent.map(() => null);
    return list.with(Number(step), withAt(list[Number(step)], inner, rest, value));
  }
  const object = isObject(kept) ? kept : undefined;
  return nestExtra({ ...object }, step, withAt(object?.[step], inner, rest, value));
}

function isObject(value: unknown): value is Extra {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
