import type { StreamClaims, SequenceRange } from '@activity-gateway/pipeline/api';
import type { Port } from './port.js';

type Granted = (durable: readonly SequenceRange[] | undefined) => void;
type Release = (stream: string) => Promise<readonly SequenceRange[] | undefined>;

/** How long the control plane has to ask the other reactors, ms; longer than it takes itself. */
const CLAIM_TIMEOUT_MS = 15_000;

/** Claims of streams, and the control plane's requests to give streams up. */
export class StreamClaimRequests implements StreamClaims {
  readonly #waiting = new Map<number, Granted>();
  #release: Release | undefined;
  #opened = false;
  #lastId = 0;

  constructor(
    private readonly port: Port,
    private readonly timeoutMs: number = CLAIM_TIMEOUT_MS,
  ) {}

  claim(stream: string, granted: Granted): void {
    const requestId = (this.#lastId += 1);
    const done: Granted = (durable) => {
      clearTimeout(timer);
      if (this.#waiting.delete(requestId)) granted(durable);
    };
    const timer = setTimeout(() => done(undefined), this.timeoutMs);
    this.#waiting.set(requestId, done);
    this.port.send({ type: 'claim-stream', requestId, stream });
  }

  serve(release: Release): void {
    this.#release = release;
  }

  /** The pipelines run: one that remembers streams has said so by now. */
  opened(): void {
    this.#opened = true;
  }

  /** The control plane's answer to a claim; one that comes too late does nothing. */
  claimed(requestId: number, durable: readonly SequenceRange[] | null): void {
    this.#waiting.get(requestId)?.(durable ?? undefined);
  }

  /** Another reactor claims a stream. Who remembers no streams has nothing of it. */
  async release(requestId: number, stream: string): Promise<void> {
    let durable: readonly SequenceRange[] | undefined;
    try {
      const nothing = this.#opened ? [] : undefined;
      durable = this.#release === undefined ? nothing : await this.#release(stream);
    } catch {
      // What cannot be read cannot be told: whoever asks has to try again.
    }
    this.port.send({ type: 'stream-released', requestId, durable: durable ?? null });
  }
}
