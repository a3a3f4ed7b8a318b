import { Batch, type Transform } from '@activity-gateway/pipeline/api';
import { compileSchema } from '@activity-gateway/pipeline/helpers';
import { BENCH_ORIGIN, readEvents, type Subject } from './decoder-subjects.js';

/** CPU of one round, microseconds an event. */
export interface Cost {
  /** `readMessage`: UTF-8 to text and `JSON.parse`, or for LEEF finding the marker. */
  readonly read: number;
  /** The compiled schema alone. */
  readonly validate: number;
  /** `apply` of the parser less `validate`. */
  readonly decode: number;
  /** `apply` of the parser: the loop, schema and decode. */
  readonly apply: number;
}

/** Lines that are read and decoded in one go, about what one chunk of a busy connection holds. */
const CHUNK_LINES = 200;

/**
 * Prepares rounds over a subject's lines. Stages take turns chunk by chunk, each on messages read anew: a text that was
 * looked up before has its hash at hand and would cost less than it does in the gateway.
 * @param parsers contenders; all see the same lines in turn
 * @returns runs one round and gives what each parser costs
 */
export function prepareRounds(subject: Subject, parsers: readonly Transform[]): () => Cost[] {
  const validate = compileSchema(subject.schema);
  const chunks: (readonly Buffer[])[] = [];
  for (let at = 0; at < subject.lines.length; at += CHUNK_LINES) {
    chunks.push(subject.lines.slice(at, at + CHUNK_LINES));
  }
  const order = parsers.map((_, index) => index);
  return () => {
    const clock = new CpuClock();
    const used = { read: 0, validate: 0, applies: parsers.map(() => 0) };
    for (const chunk of chunks) {
      clock.lap();
      const events = readEvents(chunk);
      used.read += clock.lap();
      for (const event of events) validate(event.value);
      used.validate += clock.lap();
      // In turn and back, so that none always has the caches that another has filled.
      order.reverse();
      for (const index of order) {
        const batch = new Batch(BENCH_ORIGIN, subject.receivedAt, 0, readEvents(chunk));
        clock.lap();
        parsers[index]?.apply(batch);
        used.applies[index] = (used.applies[index] ?? 0) + clock.lap();
      }
    }
    const events = subject.lines.length;
    const [read, validated] = [used.read / events, used.validate / events];
    return used.applies.map((us) => ({
      read,
      validate: validated,
      decode: us / events - validated,
      apply: us / events,
    }));
  };
}

/** CPU of this process, all its threads, in microseconds. */
class CpuClock {
  #last = 0;

  /** CPU since the last call. */
  lap(): number {
    const { user, system } = process.cpuUsage();
    const now = user + system;
    const used = now - this.#last;
    this.#last = now;
    return used;
  }
}
