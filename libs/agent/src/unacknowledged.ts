import { randomBytes } from 'node:crypto';
import { messagesOf, type MessageChunk } from './message-source.js';

/** Messages to be sent together. */
export interface HeldMessages {
  /** Whole lines, each with its LF. */
  readonly data: string | Uint8Array;
  /** How many lines. */
  readonly messages: number;
}

/**
 * What an agent has to keep because the gateway has not acknowledged it. Messages are numbered in their stream, from 1
 * on, over all connections; a number never stands for two messages. What is to outlive the agent's process needs an
 * implementation that keeps messages, stream and numbers on disk.
 */
export interface UnacknowledgedMessages {
  /** Name of the stream; a new one where it is not certain that numbers go on from the last one. */
  readonly stream: string;
  /** Number of the first message held, or of the next to come when none is. */
  readonly first: number;
  /** Messages held. */
  readonly size: number;
  /** Whether more may be added; when not, the agent takes nothing from its source. */
  readonly hasRoom: boolean;
  /** Takes the next messages of the stream; resolves when they may be sent. */
  add(chunk: MessageChunk): Promise<void>;
  /** Held messages from this number on, as many as suit one write; `undefined` when there are none. */
  from(sequence: number): HeldMessages | undefined;
  /** All messages before this number are acknowledged. */
  forgetBefore(sequence: number): void;
}

/** How much may be held. */
export interface HoldLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** What an agent holds by default: more than a gateway takes in before it writes, so that neither waits for the other. */
export const DEFAULT_HOLD: HoldLimits = { messages: 100_000, bytes: 64 * 1024 * 1024 };

interface HeldChunk extends HeldMessages {
  readonly first: number;
  readonly bytes: number;
}

/** Keeps unacknowledged messages in memory, under a stream name of its own. A chunk above the limits passes like any other. */
export class MemoryUnacknowledged implements UnacknowledgedMessages {
  readonly stream = randomBytes(16).toString('hex');
  readonly #chunks: HeldChunk[] = [];
  #first = 1;
  #next = 1;
  #bytes = 0;

  constructor(private readonly limits: HoldLimits = DEFAULT_HOLD) {}

  get first(): number {
    return this.#first;
  }

  get size(): number {
    return this.#next - this.#first;
  }

  get hasRoom(): boolean {
    return this.size < this.limits.messages && this.#bytes < this.limits.bytes;
  }

  add(chunk: MessageChunk): Promise<void> {
    const messages = messagesOf(chunk);
    const bytes = Buffer.byteLength(chunk.data);
    this.#chunks.push({ first: this.#next, data: chunk.data, messages, bytes });
    this.#next += messages;
    this.#bytes += bytes;
    return Promise.resolve();
  }

  from(sequence: number): HeldMessages | undefined {
    if (sequence >= this.#next) return undefined;
    const chunk = this.#chunks[this.#find(sequence)];
    if (chunk === undefined || chunk.first === sequence) return chunk;
    const skip = sequence - chunk.first;
    return { data: afterLines(chunk.data, skip), messages: chunk.messages - skip };
  }

  forgetBefore(sequence: number): void {
    this.#first = Math.max(this.#first, Math.min(sequence, this.#next));
    let gone = 0;
    for (const { first, messages, bytes } of this.#chunks) {
      if (first + messages > this.#first) break;
      gone += 1;
      this.#bytes -= bytes;
    }
    if (gone > 0) this.#chunks.splice(0, gone);
  }

  /** Place of the chunk that holds a number; the last one before it, by halving. */
  #find(sequence: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.first ?? Infinity) <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The rest of whole lines behind the first `count`. */
function afterLines(data: string | Uint8Array, count: number): Uint8Array {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  let at = 0;
  for (let left = count; left > 0; left -= 1) at = bytes.indexOf(0x0a, at) + 1;
  return bytes.subarray(at);
}
