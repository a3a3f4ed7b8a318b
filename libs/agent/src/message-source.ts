/** Messages that are sent together. */
export interface MessageChunk {
  /** Whole lines, each with its LF. */
  readonly data: string | Uint8Array;
  /** How many lines, by a name of the kind that reports use; only names with lines. */
  readonly counts: ReadonlyMap<string, number>;
}

/** How many messages a chunk has. */
export function messagesOf({ counts }: MessageChunk): number {
  let messages = 0;
  for (const lines of counts.values()) messages += lines;
  return messages;
}

/** Gives the next messages to send, `undefined` after the last. Ends early, with `undefined`, when the signal aborts. */
export type MessageSource = (signal: AbortSignal) => Promise<MessageChunk | undefined>;

/** Collects lines into chunks. */
export class ChunkBuilder {
  #text = '';
  #lines = 0;
  #counts = new Map<string, number>();

  /** Lines collected since the last `take`. */
  get lines(): number {
    return this.#lines;
  }

  /** @param line without its LF */
  add(kind: string, line: string): void {
    this.#text += line + '\n';
    this.#lines += 1;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** What was collected, or `undefined` when nothing was; the builder is empty then. */
  take(): MessageChunk | undefined {
    if (this.#lines === 0) return undefined;
    const chunk = { data: this.#text, counts: this.#counts };
    this.#text = '';
    this.#lines = 0;
    this.#counts = new Map();
    return chunk;
  }
}
