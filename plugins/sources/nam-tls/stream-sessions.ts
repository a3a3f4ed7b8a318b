import type { StreamClaims, DurableRanges, SequenceRange } from '@activity-gateway/pipeline/api';
import { mergeRanges } from '@activity-gateway/pipeline/helpers';

/** A connection that takes messages of a stream. */
export interface StreamHolder {
  /** Whether the connection has ended. */
  readonly ended: boolean;
  /** Ends the connection: the agent speaks over a newer one. */
  supersede(): void;
  /** Resolves when nothing of the connection is on its way any more. */
  settled(): Promise<void>;
}

/** How long a connection may wait for its stream, ms. */
const CLAIM_MS = 20_000;

/** For a gateway with one data plane process: there is nobody else to ask. */
const ALONE: StreamClaims = {
  claim: (_stream, granted) => granted([]),
  serve: () => undefined,
};

/**
 * Gives each stream to one connection at a time. What an older connection brought, in this process or another, is durable
 * or dropped before it is told what is durable: so a message is stored twice neither by two connections nor by a resend
 * that overtakes the original.
 */
export class StreamSessions {
  readonly #holders = new Map<string, StreamHolder>();
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly marks: DurableRanges,
    private readonly claims: StreamClaims = ALONE,
  ) {
    claims.serve((stream) => this.#release(stream));
  }

  /**
   * Waits for a stream and takes it, unless the holder has ended by then; `left` is to be called when it has.
   * @returns what is durable of it, or `undefined` when it cannot be had now
   */
  async claim(
    stream: string,
    holder: StreamHolder,
    timeoutMs = CLAIM_MS,
  ): Promise<readonly SequenceRange[] | undefined> {
    let late = (): void => undefined;
    const timeout = new Promise<undefined>((resolve) => (late = () => resolve(undefined)));
    const timer = setTimeout(late, timeoutMs);
    const durable = await Promise.race([timeout, this.#inTurn(stream, () => this.#claim(stream, holder))]);
    clearTimeout(timer);
    return durable;
  }

  /** The holder's connection has ended: it has the stream until nothing of it is on its way. */
  async left(stream: string, holder: StreamHolder): Promise<void> {
    await holder.settled();
    if (this.#holders.get(stream) === holder) this.#holders.delete(stream);
  }

  async #inTurn<T>(stream: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(stream);
    const turn = (before ?? Promise.resolve()).then(work);
    const over = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(stream, over);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(stream) === over) this.#turns.delete(stream);
    }
  }

  async #claim(stream: string, holder: StreamHolder): Promise<readonly SequenceRange[] | undefined> {
    if (holder.ended) return undefined;
    await this.#takeFromHolder(stream);
    const others = await new Promise<readonly SequenceRange[] | undefined>((resolve) => {
      this.claims.claim(stream, (durable) => {
        // At once: another process may ask for the stream before the promise has been waited for.
        if (durable !== undefined && !holder.ended) this.#holders.set(stream, holder);
        resolve(durable);
      });
    });
    // Asked last: what was taken over from a process that is no more meanwhile is in it.
    const own = others && (await this.marks.durable(stream));
    return own && mergeRanges([...own, ...others]);
  }

  async #release(stream: string): Promise<readonly SequenceRange[] | undefined> {
    await this.#takeFromHolder(stream);
    return this.marks.durable(stream);
  }

  async #takeFromHolder(stream: string): Promise<void> {
    const holder = this.#holders.get(stream);
    holder?.supersede();
    await holder?.settled();
  }
}
