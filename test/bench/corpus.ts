import { createEventGenerator, type EventKind } from '@activity-gateway/agent';

/** Input of a run: the bytes of a connection, cut into chunks without regard to lines. */
export interface Corpus {
  readonly chunks: readonly Buffer[];
  readonly events: number;
  readonly bytes: number;
}

/** Size of the chunks, bytes: what a TLS connection gives at a time under load. */
const CHUNK_BYTES = 64 * 1024;

/** Makes a corpus of so many events; the same for the same arguments and minute. */
export function makeCorpus(events: number, types: readonly EventKind[]): Corpus {
  const generator = createEventGenerator({ seed: 1, types, agentHost: 'BENCH' });
  const lines: string[] = [];
  for (let i = 0; i < events; i += 1) lines.push(generator.next().line);
  const all = Buffer.from(`${lines.join('\n')}\n`);
  const chunks: Buffer[] = [];
  for (let at = 0; at < all.length; at += CHUNK_BYTES) {
    chunks.push(Buffer.from(all.subarray(at, at + CHUNK_BYTES)));
  }
  return { chunks, events, bytes: all.length };
}
