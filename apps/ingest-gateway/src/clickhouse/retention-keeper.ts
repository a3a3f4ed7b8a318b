import type { ClickHouseClient } from '@clickhouse/client';
import { SerialQueue } from '../agents/serial-queue.js';
import {
  applyRetention,
  type CountRows,
  type RetentionMode,
  type RetentionOutcome,
} from './migrations/retention.js';
import { countExpiring, type RetentionOptions } from './migrations/table-retention.js';
import type { ClickHouseOptions, WaitingRetention } from './types.js';

/** How long a count of the watch holds, ms: it may read a large column. */
const COUNT_AGE_MS = 60_000;

/** What the keeper is made from. */
export type RetentionKeeperOptions = Pick<ClickHouseOptions, 'config' | 'eventTypes' | 'logger'> & {
  readonly signal: AbortSignal;
};

interface Counted {
  readonly change: string;
  readonly rows: number | null;
  /** Of `performance.now()`, ms. */
  readonly at: number;
}

/**
 * Knows which changes of the retention wait for a confirmation, and makes them when somebody gives it. While it watches, a
 * table that another gateway or an operator gave a shorter retention gets the configured one back: of several gateways the
 * longest retention holds.
 */
export class RetentionKeeper {
  #waiting: readonly WaitingRetention[] = [];
  /** What was logged last. */
  #told = '[]';
  readonly #counts = new Map<string, Counted>();
  readonly #changes = new SerialQueue();

  constructor(private readonly options: RetentionKeeperOptions) {}

  /** As they were last seen. */
  get waiting(): readonly WaitingRetention[] {
    return this.#waiting;
  }

  /** What waits, and what to do, for operators; `undefined` when nothing does. */
  get reason(): string | undefined {
    if (this.#waiting.length === 0) return undefined;
    const changes = this.#waiting.map(sentence).join(' ');
    return `${changes} Run \`gateway retention apply\` to confirm, or set the retention back.`;
  }

  /** Takes what a start has found. */
  learn(waiting: readonly WaitingRetention[]): void {
    this.#waiting = waiting;
    const told = JSON.stringify(waiting.map(({ rows: _rows, ...change }) => change));
    if (told === this.#told) return;
    this.#told = told;
    const { logger } = this.options;
    for (const change of waiting) {
      logger.warn(change, 'Retention change waits for gateway retention apply; keeping the old retention');
    }
    if (waiting.length === 0) logger.info({}, 'No retention change waits any longer');
  }

  /** Looks again, and makes what deletes nothing. @returns tables that are not there @throws what the client throws */
  watch(client: ClickHouseClient): Promise<readonly string[]> {
    return this.#changes.run(async () => {
      const { waiting, missing } = await this.#apply(client, 'watch', (table) =>
        this.#recentCount(table.name, JSON.stringify(table), () => countExpiring(this.#of(client), table)),
      );
      this.learn(waiting);
      return missing;
    });
  }

  /** What waits, counted now. @throws what the client throws */
  count(client: ClickHouseClient): Promise<readonly WaitingRetention[]> {
    return this.#changes.run(async () => {
      const { waiting } = await this.#apply(client, 'watch');
      this.learn(waiting);
      return waiting;
    });
  }

  /** Makes every change that waits. @returns what was changed, with the rows that it deletes @throws what the client throws */
  confirm(
    client: ClickHouseClient,
    onMade?: (change: WaitingRetention) => void,
  ): Promise<readonly WaitingRetention[]> {
    return this.#changes.run(async () => {
      const { made } = await this.#apply(client, 'confirmed', undefined, onMade);
      this.learn([]);
      return made;
    });
  }

  #apply(
    client: ClickHouseClient,
    mode: RetentionMode,
    count?: CountRows,
    made?: (change: WaitingRetention) => void,
  ): Promise<RetentionOutcome> {
    return applyRetention(this.#of(client), mode, count, made);
  }

  #of(client: ClickHouseClient): RetentionOptions {
    const { config, eventTypes, logger, signal } = this.options;
    return { ...config, client, eventTypes, logger, signal };
  }

  /** A count that fails says nothing; what it is for waits all the same. */
  async #recentCount(table: string, change: string, count: () => Promise<number>): Promise<number | null> {
    const known = this.#counts.get(table);
    const now = performance.now();
    if (known?.change === change && now - known.at < COUNT_AGE_MS) return known.rows;
    const rows = await count().catch(() => null);
    this.#counts.set(table, { change, rows, at: now });
    return rows;
  }
}

function sentence({ table, currentDays, configuredDays, rows }: WaitingRetention): string {
  const now =
    currentDays === null
      ? 'has a TTL that the gateway did not make'
      : currentDays === 0
        ? 'keeps all rows'
        : `keeps rows for ${days(currentDays)}`;
  const configured = configuredDays === 0 ? 'retention, no TTL,' : days(configuredDays);
  const count = rows === null ? 'an unknown number of rows' : `${rows} row${rows === 1 ? '' : 's'}`;
  return `${table} ${now}; the configured ${configured} would delete ${count}.`;
}

function days(count: number): string {
  return `${count} day${count === 1 ? '' : 's'}`;
}
