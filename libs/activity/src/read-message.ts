import { isUtf8 } from 'node:buffer';
import {
  createEvent,
  RejectError,
  type EventRecord,
  type EventType,
  type SourceEvent,
} from '@activity-gateway/pipeline/api';
import {
  countKeys,
  findRepeatedKey,
  FlatJson,
  JsonShape,
  Line,
  MAX_DEPTH,
  type Keyed,
} from '@activity-gateway/pipeline/helpers';

/** A line as the agent protocol tells lines apart (`docs/reference/protocol.md`, Streaming). */
export type Message =
  /** JSON with `ActivityType`, or LEEF (type `Leef`, the value is the line's text). */
  | { readonly kind: 'event'; readonly event: SourceEvent }
  /** JSON with `MessageType`. */
  | { readonly kind: 'control'; readonly type: string; readonly value: Keyed }
  /** An event by its form, but its bytes are no UTF-8, so that what it says cannot be trusted. */
  | { readonly kind: 'not-utf8' }
  /** A JSON object that would take too long to parse, or says one thing twice. The reason is one sentence. */
  | {
      readonly kind: 'rejected';
      readonly code: 'too_many_values' | 'too_deep' | 'repeated_key';
      /** JSON pointer, or the empty string for the whole message. */
      readonly field: string;
      readonly reason: string;
    }
  /** Neither: a protocol violation. The reason is one sentence without any of the line's content. */
  | {
      readonly kind: 'violation';
      readonly code: 'not_json_or_leef' | 'no_message_type';
      readonly reason: string;
    };

const OPENING_BRACE = 0x7b;
const LEEF_MARKER = /^LEEF:[12]\.0\|/;
/** PRI, RFC 3164 time with or without a year, or RFC 5424 time: how a syslog header begins. */
const SYSLOG_HEADER =
  /^(?:<\d{1,3}>|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ])/;
/** RFC 6587, 3.4.1: the length of a syslog message stands before it. The framer has cut it off where it is right. */
const OCTET_COUNT = /^[1-9]\d{0,7} (?=<\d|LEEF:)/;
/** A header longer than this is none: it bounds the search in a line that is not LEEF. */
const MAX_HEADER_BYTES = 2048;

const NOT_JSON_OR_LEEF: Message = {
  kind: 'violation',
  code: 'not_json_or_leef',
  reason: 'The line is neither a JSON object nor a LEEF event.',
};
const NO_MESSAGE_TYPE: Message = {
  kind: 'violation',
  code: 'no_message_type',
  reason: 'The JSON object has neither MessageType nor ActivityType.',
};
const NOT_UTF8: Message = { kind: 'not-utf8' };
const TOO_DEEP: Message = {
  kind: 'rejected',
  code: 'too_deep',
  field: '',
  reason: `The message has more than ${MAX_DEPTH} levels of objects and lists.`,
};

/** Members and list elements of one message, unless a source says otherwise. */
export const MAX_VALUES = 10_000;
/** Values are counted in longer lines only, bytes: JSON.parse takes 1 ms at most for the others, whatever they hold. */
const UNCOUNTED_BYTES = 64 * 1024;

const shape = new JsonShape();

/** An event that makes the view of its line only when it is asked for: as a reject, or to be read once more. */
class LineEvent implements SourceEvent {
  eventType: EventType | undefined = undefined;
  record: EventRecord | undefined = undefined;

  constructor(
    readonly type: string,
    readonly value: unknown,
    private readonly line: Line,
  ) {}

  get raw(): Uint8Array {
    return this.line.bytes;
  }
}

/** Reads the bytes of one line, without its end; as `readLine`. */
export function readMessage(raw: Buffer, maxValues?: number): Message {
  return readLine(Line.of(raw), maxValues);
}

/**
 * The event that a line is, without its end.
 * @throws RejectError (stage `frame`) when the line is no event
 */
export function readEvent(raw: Buffer, maxValues?: number): SourceEvent {
  const message = readMessage(raw, maxValues);
  if (message.kind === 'event') return message.event;
  if (message.kind === 'rejected')
    throw new RejectError(message.code, message.field, message.reason, 'frame');
  const code = message.kind === 'violation' ? message.code : 'no_event';
  throw new RejectError(code, '', 'The line is no event.', 'frame');
}

/**
 * Reads one line: parses JSON once, and finds what kind of message it is. Does not throw. For many lines `MessageReader`
 * takes less time.
 * @param maxValues members and list elements that a line over 64 KiB may have
 */
export function readLine(line: Line, maxValues = MAX_VALUES): Message {
  if (line.first !== OPENING_BRACE) return readLeef(line.bytes);
  const isLong = line.length > UNCOUNTED_BYTES;
  const fault = shape.measure(line.chunk, line.start, line.end, isLong ? maxValues : line.length);
  if (fault === 'too_deep') return TOO_DEEP;
  if (fault === 'too_many_values') return tooManyValues(maxValues);
  const { members } = shape;
  const { text } = line;
  let value: Keyed;
  try {
    value = JSON.parse(text) as Keyed;
  } catch {
    return NOT_JSON_OR_LEEF;
  }
  if (text.includes('\uFFFD') && !isUtf8(line.bytes)) return NOT_UTF8;
  const message = messageOf(value, line);
  return message.kind === 'event' && members !== countKeys(value) ? repeatedKey(line) : message;
}

/**
 * Reads the lines of streams. What it gives is what `readLine` gives, in less time where messages resemble each other
 * (`FlatJson`). One for all connections of a source: agents send messages of the same shapes.
 */
export class MessageReader {
  readonly #flat = new FlatJson();

  /** @param maxValues members and list elements that a line over 64 KiB may have */
  constructor(private readonly maxValues = MAX_VALUES) {}

  /**
   * The messages of the lines `from` (inclusive) to `to` (exclusive), in their order. Does not throw. Texts in a message may
   * keep 16 KiB of its chunk in memory: copy what is to be kept for long.
   */
  read(lines: readonly Line[], from = 0, to = lines.length): Message[] {
    const messages: Message[] = [];
    const objects = this.#flat.read(lines, from, to);
    for (let index = from; index < to; index += 1) {
      const line = lines[index] as Line;
      const object = objects[index - from];
      const message = object === undefined ? readLine(line, this.maxValues) : messageOf(object, line);
      if (object === undefined && message.kind === 'event') this.#flat.learn(message.event.value);
      messages.push(message);
    }
    return messages;
  }
}

function messageOf(value: Keyed, line: Line): Message {
  const activityType = value['ActivityType'];
  if (typeof activityType === 'string') {
    return { kind: 'event', event: new LineEvent(activityType, value, line) };
  }
  if (activityType !== undefined) return { kind: 'event', event: new LineEvent('', value, line) };
  const messageType = value['MessageType'];
  if (messageType === undefined) return NO_MESSAGE_TYPE;
  return { kind: 'control', type: typeof messageType === 'string' ? messageType : '', value };
}

function tooManyValues(maxValues: number): Message {
  const reason = `The message has more than ${maxValues} members and list elements.`;
  return { kind: 'rejected', code: 'too_many_values', field: '', reason };
}

function repeatedKey({ bytes }: Line): Message {
  const reason = 'An object has the same key twice.';
  return { kind: 'rejected', code: 'repeated_key', field: findRepeatedKey(bytes) ?? '', reason };
}

function readLeef(raw: Buffer): Message {
  const begin = raw.subarray(0, MAX_HEADER_BYTES).toString('latin1');
  const counted = OCTET_COUNT.exec(begin)?.[0].length ?? 0;
  const head = begin.slice(counted);
  const at = head.search(/LEEF:[12]\.0\|/);
  if (at === -1 || !(LEEF_MARKER.test(head) || SYSLOG_HEADER.test(head))) return NOT_JSON_OR_LEEF;
  if (!isUtf8(raw)) return NOT_UTF8;
  return { kind: 'event', event: createEvent('Leef', raw.toString('utf8', counted), raw) };
}
