import type { SequenceRange } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';

/** A reactor that works. */
export interface StreamPeer {
  /** Has it give a stream up and tell what is durable of it there; `undefined` when it cannot tell within the time, ms. */
  releaseStream(stream: string, timeoutMs: number): Promise<readonly SequenceRange[] | undefined>;
}

/** How long a claim may take, ms. */
const CLAIM_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/**
 * Gives streams of agents from one reactor to another. Claims of one stream come one after the other, and each asks all
 * other reactors: a stream may have been anywhere before the gateway was started again.
 */
export class StreamClaimBroker {
  readonly #turns = new Map<string, Promise<unknown>>();

  /**
   * @param places one function for each reactor there is, which gives it while it works. One that is being started again
   *               is waited for: only it can tell what its predecessor has stored.
   */
  constructor(
    private readonly places: () => readonly (() => StreamPeer | undefined)[],
    private readonly timeoutMs = CLAIM_MS,
  ) {}

  /**
   * Takes a stream from all reactors but one.
   * @param answer told what is durable there, in no order, or `undefined` when that cannot be told now. What it sends
   *               leaves before the reactor is asked to give the stream up for the next claim.
   */
  async claim(
    stream: string,
    by: StreamPeer,
    answer: (durable: readonly SequenceRange[] | undefined) => void,
  ): Promise<void> {
    const before = this.#turns.get(stream) ?? Promise.resolve();
    const turn = before.then(async () => answer(await this.#askAll(stream, by)));
    this.#turns.set(stream, turn);
    await turn;
    if (this.#turns.get(stream) === turn) this.#turns.delete(stream);
  }

  async #askAll(stream: string, by: StreamPeer): Promise<readonly SequenceRange[] | undefined> {
    const deadline = performance.now() + this.timeoutMs;
    const answers = await Promise.all(this.places().map((place) => ask(place, stream, by, deadline)));
    const known = answers.filter((answer) => answer !== undefined);
    return known.length === answers.length ? known.flat() : undefined;
  }
}

async function ask(
  place: () => StreamPeer | undefined,
  stream: string,
  by: StreamPeer,
  deadline: number,
): Promise<readonly SequenceRange[] | undefined> {
  for (let left = deadline - performance.now(); left > 0; left = deadline - performance.now()) {
    const peer = place();
    if (peer === by) return [];
    const answer = await peer?.releaseStream(stream, left);
    if (answer !== undefined) return answer;
    await sleep(LOOK_AGAIN_MS);
  }
  return undefined;
}
