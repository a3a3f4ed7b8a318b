import type { Logger } from '@app/pipeline/api';
import type { AgentActivity, AgentRepository } from '../store/index.js';
import { addActivity } from './agent-activity.js';

const FLUSH_MS = 1_000;

/** Collects when agents were last seen and what they sent, and writes it at most once a second. */
export class LastSeen {
  #seen = new Map<string, number>();
  #activity = new Map<string, AgentActivity>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: AgentRepository,
    private readonly logger: Logger,
  ) {}

  /**
   * @param at       milliseconds since 1970-01-01 UTC
   * @param activity what each did since it was last told
   */
  add(
    spkiHashes: readonly string[],
    at: number,
    activity: ReadonlyMap<string, AgentActivity> = new Map(),
  ): void {
    this.#merge(
      spkiHashes.map((hash) => [hash, at]),
      activity,
    );
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** When an agent was seen, if that is not written yet. */
  pending(spkiHash: string): number | undefined {
    return this.#seen.get(spkiHash);
  }

  /** What an agent did, as far as it is not written yet. */
  pendingActivity(spkiHash: string): AgentActivity | undefined {
    return this.#activity.get(spkiHash);
  }

  /** Writes what has been collected; what cannot be written is kept for the next time. Does not reject. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const seen = this.#seen;
    const activity = this.#activity;
    if (seen.size === 0 && activity.size === 0) return;
    this.#seen = new Map();
    this.#activity = new Map();
    try {
      await this.repository.touch(seen, activity);
    } catch (error) {
      this.logger.warn({ err: error }, 'When agents were last seen could not be stored; it is tried again.');
      this.#merge(seen, activity);
    }
  }

  #merge(seen: Iterable<readonly [string, number]>, activity: ReadonlyMap<string, AgentActivity>): void {
    for (const [hash, at] of seen) this.#seen.set(hash, Math.max(at, this.#seen.get(hash) ?? 0));
    for (const [hash, each] of activity) {
      this.#activity.set(hash, addActivity(this.#activity.get(hash), each));
    }
  }
}
