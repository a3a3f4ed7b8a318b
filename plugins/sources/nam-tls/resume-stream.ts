import type { AckSession } from './ack-session.js';
import type { Hello } from './hello-message.js';
import { StreamNumbers } from './stream-numbers.js';
import type { StreamHolder, StreamSessions } from './stream-sessions.js';

/** What became of an agent's wish to go on with its stream. */
export type ResumeResult =
  /** Its messages are numbered, or the gateway does not recognise resent ones and has said so. */
  | { readonly ok: true; readonly numbers?: StreamNumbers }
  /** Not now: the agent has to try again. */
  | { readonly ok: false };

/** A connection, as far as its stream is concerned. */
export interface StreamConnection {
  /** Whether it has ended. */
  ended(): boolean;
  /** Ends it: the agent goes on over another one. */
  supersede(): void;
}

/** Waits until the stream of a Hello is this connection's alone, and answers the Hello. Rejects when the queue cannot be read. */
export async function resumeStream(
  spkiHash: string,
  { start }: Hello,
  streams: StreamSessions | undefined,
  acks: AckSession,
  connection: StreamConnection,
): Promise<ResumeResult> {
  if (streams === undefined || start === undefined) {
    acks.answer();
    return { ok: true };
  }
  const stream = `${spkiHash}/${start.name}`;
  const holder: StreamHolder = {
    get ended() {
      return connection.ended();
    },
    supersede: () => connection.supersede(),
    settled: () => acks.settled(),
  };
  void streams.left(stream, holder);
  const durable = await streams.claim(stream, holder);
  if (durable === undefined || connection.ended()) return { ok: false };
  const numbers = new StreamNumbers(stream, start.sequence, durable);
  acks.answer(numbers.durableThrough);
  return { ok: true, numbers };
}
