import type { Line } from '@activity-gateway/pipeline/helpers';
import { readLine, type Message } from '@activity-gateway/activity';

/** Longest control message, and all that a peer may send that is not in the allowlist, bytes. */
export const MAX_CONTROL_BYTES = 65_536;
const OPENING_BRACE = 0x7b;

/** What the first message of a connection leads to. */
export type FirstAction =
  /** The connection streams; this message is the first of the stream. */
  | { readonly do: 'stream' }
  /** A dead letter of an allowlisted agent; the first message is still to come. */
  | { readonly do: 'skip' }
  /** The connection streams; this message only opened it. */
  | { readonly do: 'greet'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly do: 'enroll'; readonly value: Readonly<Record<string, unknown>> }
  /** Close without a word and without a ban. */
  | { readonly do: 'leave' }
  /** Close and ban. */
  | { readonly do: 'punish' };

/**
 * Decides on the first line. A JSON object longer than any control message begins the stream of an agent whatever it
 * holds: the stream parses it, and to do that twice takes a second for the longest.
 */
export function decideFirstLine(line: Line, allowlisted: boolean): FirstAction {
  const isLong = line.length > MAX_CONTROL_BYTES && line.first === OPENING_BRACE;
  return allowlisted && isLong ? { do: 'stream' } : decideFirst(readLine(line), allowlisted);
}

/**
 * Decides on the first message (the table in `docs/reference/protocol.md`, Streaming).
 * @param allowlisted whether the peer's key is in the allowlist now
 */
export function decideFirst(message: Message, allowlisted: boolean): FirstAction {
  if (message.kind === 'control') {
    if (message.type === 'EnrollmentRequest') return { do: 'enroll', value: message.value };
    if (message.type === 'Hello')
      return allowlisted ? { do: 'greet', value: message.value } : { do: 'leave' };
  }
  const isMessage = message.kind === 'event' || message.kind === 'not-utf8' || message.kind === 'rejected';
  if (allowlisted) return { do: isMessage ? 'stream' : 'skip' };
  return { do: isMessage ? 'leave' : 'punish' };
}
