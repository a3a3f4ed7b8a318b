import { isUtf8 } from 'node:buffer';
import type { Reject, SourceEvent } from '@activity-gateway/pipeline/api';
import { octetFrameAt, type Line } from '@activity-gateway/pipeline/helpers';
import { readMessage, type Message, type MessageReader } from '@activity-gateway/activity';
import type { MalformedLines } from './malformed-lines.js';
import { withoutCode } from './enrollment-message.js';

const OPENING_BRACE = 0x7b;
const TAB = 0x09;
const CR = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;
/** A line that is no message is looked at for control characters this far, bytes. */
const MAX_LOOKED_AT = 4_096;

/** Lines of a stream, told apart. */
export interface SortedLines {
  readonly events: SourceEvent[];
  readonly rejects: Reject[];
  /** Sum of the lines, bytes. */
  readonly bytes: number;
}

/**
 * Sorts the lines `from` (inclusive) to `to` (exclusive) of an allowlisted agent's stream: each becomes an event or a
 * reject, whatever it holds, so that nothing an agent sent disappears. Does not throw.
 * @param malformed told of each line that is no message
 */
export function sortLines(
  reader: MessageReader,
  lines: readonly Line[],
  from: number,
  to: number,
  malformed: MalformedLines,
): SortedLines {
  const events: SourceEvent[] = [];
  const rejects: Reject[] = [];
  let bytes = 0;
  let index = from;
  let inARow = malformed.inARow;
  for (const message of reader.read(lines, from, to)) {
    const line = lines[index] as Line;
    index += 1;
    bytes += line.length;
    if (message.kind === 'event') {
      inARow = 0;
      events.push(message.event);
      continue;
    }
    rejects.push(rejectOf(message, line.bytes));
    if (message.kind === 'rejected') {
      inARow = 0;
      continue;
    }
    malformed.inARow = inARow;
    malformed.line(isUnreadable(message, line.bytes));
    inARow = malformed.inARow;
  }
  malformed.inARow = inARow;
  return { events, rejects, bytes };
}

/**
 * Whether a last line without its end was cut off rather than sent: a JSON object that does not end, or less of a frame than
 * its length says. TCP tells the end of a process that died from an end in order no better.
 * @param numbered whether the stream is numbered. There only a JSON object that ends is taken: a part of another message
 *   would be durable under the number of the whole one, which would not be stored when it is sent again
 */
export function isCutOff(last: Buffer, numbered: boolean): boolean {
  if (last[0] === OPENING_BRACE) {
    const message = readMessage(last);
    if (message.kind === 'violation') return message.code === 'not_json_or_leef';
    // The others are told before the end of the object is seen.
    return numbered && message.kind === 'rejected' && message.code !== 'repeated_key';
  }
  const frame = octetFrameAt(last, 0, last.length);
  return numbered || (frame !== undefined && (frame === 'unknown' || frame.end > last.length));
}

function rejectOf(message: Exclude<Message, { kind: 'event' }>, line: Buffer): Reject {
  const raw = withoutCode(line);
  if (message.kind === 'violation') {
    return { stage: 'frame', code: message.code, field: '', message: message.reason, raw };
  }
  if (message.kind === 'rejected') {
    return { stage: 'frame', code: message.code, field: message.field, message: message.reason, raw };
  }
  if (message.kind === 'not-utf8') {
    const text = 'The line is not valid UTF-8.';
    return { stage: 'frame', code: 'invalid_utf8', field: '', message: text, raw };
  }
  return {
    stage: 'frame',
    code: 'unexpected_control_message',
    field: '/MessageType',
    message: 'A control message may only be the first message of a connection.',
    raw,
  };
}

function isUnreadable(message: Message, line: Buffer): boolean {
  if (message.kind === 'not-utf8') return true;
  return message.kind === 'violation' && (!isUtf8(line) || hasControlCharacters(line));
}

function hasControlCharacters(line: Buffer): boolean {
  const end = Math.min(line.length, MAX_LOOKED_AT);
  for (let at = 0; at < end; at += 1) {
    const byte = line[at] ?? 0;
    if ((byte < SPACE && byte !== TAB && byte !== CR) || byte === DELETE) return true;
  }
  return false;
}
