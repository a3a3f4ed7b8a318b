import type { Logger } from '@activity-gateway/pipeline/api';
import type { AgentRepository } from '../store/index.js';

const FLUSH_MS = 1_000;

/** Collects when agents were last seen and writes it at most once a second; what fails is tried again until it is written. */
export class LastSeen {
  #pending = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #stopped = false;

  constructor(
    private readonly repository: AgentRepository,
    private readonly logger: Logger,
  ) {}

  /** @param at milliseconds since 1970-01-01 UTC */
  add(spkiHashes: readonly string[], at: number): void {
    for (const hash of spkiHashes) this.#note(hash, at);
    this.#schedule();
  }

  /** What is not written yet. */
  pending(spkiHash: string): number | undefined {
    return this.#pending.get(spkiHash);
  }

  /** Writes what has been collected; what cannot be written is kept for the next time. Does not reject. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const writing = this.#pending;
    if (writing.size === 0) return;
    this.#pending = new Map();
    try {
      await this.repository.touch(writing);
      this.#failing = false;
    } catch (error) {
      this.#warnOnce(error);
      for (const [hash, at] of writing) this.#note(hash, at);
      this.#schedule();
    }
  }

  /** Writes a last time; nothing is tried again after that. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.flush();
  }

  #note(hash: string, at: number): void {
    this.#pending.set(hash, Math.max(at, this.#pending.get(hash) ?? 0));
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** A store may be away for hours: one line tells of it. */
  #warnOnce(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.logger.warn({ err: error }, 'Failed to store when agents were last seen; retrying');
  }
}
