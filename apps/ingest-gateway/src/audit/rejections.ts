import { hashSecret } from '../secrets.js';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { AuditRepository, StoredRejection } from '../store/index.js';

/** Something that was rejected, once. */
export type Rejection = Omit<StoredRejection, 'id' | 'firstAt' | 'count'> & {
  /** Whether the actor has proved who it is: it then tells apart what is counted. */
  readonly proven: boolean;
  /** Whether it has a log line already. */
  readonly logged: boolean;
};

/** Rejections that are kept, each with its count. */
export const KEPT_REJECTIONS = 2_000;
/** How often repetitions are written and logged, ms. */
const PERIOD_MS = 60_000;
/** Addresses and causes told apart within a period; what goes beyond is counted without its address. */
const MAX_KEYS = 1_000;
/** Log lines within a period for what is rejected for the first time in it; the others are in the line at its end. */
const MAX_LINES = 20;
/** Addresses that a log line names. */
const MAX_ADDRESSES = 10;
const DAY_MS = 86_400_000;

type RejectionFields = Omit<Rejection, 'proven' | 'logged'>;

/** What is counted together within a period. */
interface Count {
  latest: StoredRejection;
  /** Not in the store yet. */
  unstored: number;
  /** In no log line yet. */
  unlogged: number;
}

/**
 * Counts what is rejected, by address and cause. The first of its kind is stored and logged at once; repetitions are
 * added once a minute, so that neither disk nor log can be flooded.
 */
export class Rejections {
  readonly #counts = new Map<string, Count>();
  #lines = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: AuditRepository,
    private readonly logger: Logger,
    private readonly periodMs = PERIOD_MS,
  ) {}

  /** Counts one. Resolves when it is stored where it is the first of its kind, otherwise at once; does not reject. */
  async add({ proven, logged, ...rejection }: Rejection): Promise<void> {
    this.#timer ??= setTimeout(() => void this.#endPeriod(), this.periodMs).unref();
    const known = this.#counts.get(idOf(rejection, proven));
    if (known !== undefined) return repeat(known, rejection, logged);
    const { size } = this.#counts;
    const from = size < MAX_KEYS ? rejection.from : '';
    const id = idOf({ ...rejection, from }, proven && from !== '');
    const other = this.#counts.get(id);
    if (other !== undefined) return repeat(other, rejection, logged);
    const count: Count = {
      latest: { ...rejection, from, id, firstAt: rejection.at, count: 1 },
      unstored: 1,
      unlogged: logged || this.#lines < MAX_LINES ? 0 : 1,
    };
    this.#counts.set(id, count);
    if (!logged && count.unlogged === 0) this.#logFirst(count.latest);
    await this.#store(count);
  }

  /** Stores what is counted and not stored yet; does not reject. */
  async flush(): Promise<void> {
    for (const count of this.#counts.values()) await this.#store(count);
  }

  /** Stores and logs what is left. To be called once nothing is counted any more. */
  async close(): Promise<void> {
    if (this.#timer !== undefined) await this.#endPeriod();
  }

  async #endPeriod(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    this.#lines = 0;
    this.#logRepeated(counts.filter(({ unlogged }) => unlogged > 0));
    for (const count of counts) await this.#store(count);
    await this.#attempt(() => this.repository.trimRejections(KEPT_REJECTIONS), {});
  }

  async #store(count: Count): Promise<void> {
    const { latest, unstored } = count;
    if (unstored === 0) return;
    count.unstored = 0;
    await this.#attempt(() => this.repository.addRejection({ ...latest, count: unstored }), {
      audit: latest,
    });
    count.latest = { ...count.latest, firstAt: count.latest.at };
  }

  async #attempt(write: () => Promise<void>, fields: object): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.logger.error({ ...fields, err: error }, 'Failed to store an entry of the audit trail');
    }
  }

  #logFirst({ action, target, actor, from, outcome }: StoredRejection): void {
    this.#lines += 1;
    const fields = { action, target, actor, sourceIp: from, reason: outcome };
    this.logger.warn(fields, 'Rejected; repetitions are counted for a minute');
  }

  /** One line for each cause, with the addresses that it comes from. */
  #logRepeated(counts: readonly Count[]): void {
    const byCause = new Map<string, Count[]>();
    for (const count of counts) {
      const cause = `${count.latest.action} ${count.latest.outcome}`;
      byCause.set(cause, [...(byCause.get(cause) ?? []), count]);
    }
    for (const same of byCause.values()) {
      const most = same.sort((a, b) => b.unlogged - a.unlogged);
      const [first] = most;
      if (first === undefined) continue;
      const { action, outcome } = first.latest;
      this.logger.warn(
        {
          action,
          reason: outcome,
          count: most.reduce((sum, { unlogged }) => sum + unlogged, 0),
          addresses: most
            .slice(0, MAX_ADDRESSES)
            .map(({ latest, unlogged }) => ({ sourceIp: latest.from, count: unlogged })),
          otherAddresses: Math.max(0, most.length - MAX_ADDRESSES),
        },
        'Rejected again',
      );
    }
  }
}

function repeat(count: Count, rejection: RejectionFields, logged: boolean): void {
  count.unstored += 1;
  count.unlogged += logged ? 0 : 1;
  count.latest = { ...count.latest, ...rejection, from: count.latest.from };
}

/** The same for what is counted together. Whoever proves nothing could make up actors without end: they do not count. */
function idOf({ at, action, outcome, from, actor }: RejectionFields, proven: boolean): string {
  const day = Math.floor(at / DAY_MS);
  const key = JSON.stringify([day, action, outcome, from, proven ? actor.id : '']);
  return `rejected-${hashSecret(key).slice(0, 16)}`;
}
