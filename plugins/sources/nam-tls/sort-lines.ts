import type { Reject, SourceEvent } from '@app/pipeline/api';
import { readMessage, type Line, type Message, type MessageReader } from '@app/pipeline/helpers';
import { withoutCode } from './enrollment-message.js';

const OPENING_BRACE = 0x7b;

/** Lines of a stream, told apart. */
export interface SortedLines {
  readonly events: SourceEvent[];
  readonly rejects: Reject[];
  /** Sum of the lines, bytes. */
  readonly bytes: number;
  /** Code of the first protocol violation, if there was one: the connection has to end. */
  readonly violation: string | undefined;
}

/**
 * Sorts the lines `from` (inclusive) to `to` (exclusive) of an allowlisted agent's stream. Lines after a violation are
 * sorted too: they arrived with it, and nothing an agent sent disappears.
 */
export function sortLines(
  reader: MessageReader,
  lines: readonly Line[],
  from: number,
  to: number,
): SortedLines {
  const events: SourceEvent[] = [];
  const rejects: Reject[] = [];
  let bytes = 0;
  let violation: string | undefined;
  let index = from;
  for (const message of reader.read(lines, from, to)) {
    const line = lines[index] as Line;
    index += 1;
    bytes += line.length;
    if (message.kind === 'event') {
      events.push(message.event);
      continue;
    }
    const reject = rejectOf(message, line.bytes);
    rejects.push(reject);
    if (message.kind !== 'not-utf8') violation ??= reject.code;
  }
  return { events, rejects, bytes, violation };
}

/**
 * Whether a last line without its end was cut off rather than sent: a JSON object that does not end. TCP tells the end
 * of a process that died from an end in order no better.
 */
export function isCutOff(last: Buffer): boolean {
  if (last[0] !== OPENING_BRACE) return false;
  const message = readMessage(last);
  return message.kind === 'violation' && message.code === 'not_json_or_leef';
}

function rejectOf(message: Exclude<Message, { kind: 'event' }>, raw: Buffer): Reject {
  if (message.kind === 'violation') {
    return { stage: 'frame', code: message.code, field: '', message: message.reason, raw };
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
    raw: withoutCode(message.value, raw),
  };
}
