import type { SequenceRange, StreamClaims } from '@activity-gateway/pipeline/api';
import type { ReactorChannel } from './messages.js';

type Release = (stream: string) => Promise<readonly SequenceRange[] | undefined>;

/** How long the control plane has to ask the other reactors, ms; longer than it takes itself. */
const CLAIM_TIMEOUT_MS = 15_000;

/** Claims of streams, and the control plane's requests to give streams up. */
export class ReactorStreamClaims implements StreamClaims {
  #release: Release | undefined;
  #opened = false;

  constructor(
    private readonly channel: Pick<ReactorChannel, 'ask'>,
    private readonly timeoutMs: number = CLAIM_TIMEOUT_MS,
  ) {}

  claim(stream: string, granted: (durable: readonly SequenceRange[] | undefined) => void): void {
    this.channel.ask('claim-stream', stream, (durable) => granted(durable ?? undefined), this.timeoutMs);
  }

  serve(release: Release): void {
    this.#release = release;
  }

  /** The pipelines run: one that remembers streams has said so by now. */
  opened(): void {
    this.#opened = true;
  }

  /** Another reactor claims a stream; resolves with what is durable here, `null` when it cannot be told. */
  async release(stream: string): Promise<readonly SequenceRange[] | null> {
    // Who remembers no streams has nothing of it.
    if (this.#release === undefined) return this.#opened ? [] : null;
    // What cannot be read cannot be told: whoever asks has to try again.
    return (await this.#release(stream).catch(() => undefined)) ?? null;
  }
}
