import type { StreamRange, SequenceRange } from '@activity-gateway/pipeline/api';
import { splitRange, knownThrough } from '@activity-gateway/pipeline/helpers';

/** Consecutive messages that are all durable already, or all not. */
export interface NumberedPiece extends StreamRange {
  readonly known: boolean;
}

/** Numbers the messages of a connection in their stream, and finds those that are durable already. */
export class StreamNumbers {
  readonly #first: number;
  #next: number;

  /**
   * @param stream  `<SPKI hash of the agent>/<name that the agent gave>`
   * @param first   number of the connection's first message
   * @param durable what was durable when the connection began, rising, with a gap between each two
   */
  constructor(
    private readonly stream: string,
    first: number,
    private readonly durable: readonly SequenceRange[],
  ) {
    this.#first = first;
    this.#next = first;
  }

  /** Up to this number, all messages from the connection's first one on were durable when it began. */
  get durableThrough(): number {
    return knownThrough(this.#first, this.durable);
  }

  /** Numbers the next messages, in order. */
  take(messages: number): NumberedPiece[] {
    const { stream } = this;
    const first = this.#next;
    this.#next += messages;
    const last = this.#next - 1;
    const end = this.durable.at(-1)?.last ?? 0;
    if (first > end) return [{ stream, first, last, known: false }];
    return splitRange({ first, last }, this.durable).map((piece) => ({ stream, ...piece }));
  }
}
