import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { ReplayOutcome } from '@activity-gateway/pipeline/host';
import { GatewayError, type Counter, type Logger, type Metrics } from '@activity-gateway/pipeline/api';
import type {
  ClickHouseService,
  DeadLetter,
  DeadLetterCount,
  DeadLetterFilter,
  DeadLetterPosition,
  DeadLetterSize,
  DeadLetterStore,
} from '../clickhouse/types.js';
import { AuditService, type AuditActor } from '../audit/index.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { CLICKHOUSE, LOGGER, METRICS } from '../dependencies.js';
import { readId, writeCursor } from './dead-letter-query.js';
import { replayResult, replayTarget } from './replay-audit.js';
import { itemsByPipeline, positionOf } from './replay-items.js';
import { ReplayTally, type ReplayReport } from './replay-report.js';
import type { ReplayRequest } from './replay-request.js';

/** A page of the list. */
export interface DeadLetterPage {
  readonly deadLetters: readonly DeadLetter[];
  /** For the next page; missing on the last one. */
  readonly cursor?: string;
}

/** Dead letters by code and stage. */
export interface DeadLetterSummary {
  readonly total: number;
  readonly replayed: number;
  readonly byCode: readonly DeadLetterCount[];
  /** Of the whole table, whatever the filter. */
  readonly size: DeadLetterSize;
}

/** Of one message to a reactor. */
const CHUNK = { letters: 500, bytes: 8 * 1024 * 1024 } as const;

/** Lists dead letters and sends them through the pipelines again. */
@Injectable()
export class DeadLettersService {
  private readonly store: DeadLetterStore;
  private readonly logger: Logger;
  readonly #replayed: Counter;
  #replaying = false;

  constructor(
    @Inject(CLICKHOUSE) { deadLetters }: Pick<ClickHouseService, 'deadLetters'>,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'replay'>,
    @Inject(AuditService) private readonly audit: Pick<AuditService, 'change'>,
    @Inject(METRICS) metrics: Metrics,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.store = deadLetters;
    this.logger = logger.child({ component: 'dead-letters' });
    this.#replayed = metrics.counter(
      'gateway_dead_letters_replayed_total',
      'Dead letters that were sent through their pipeline again, by outcome: replayed, stored, refused or failed.',
      ['outcome'],
    );
  }

  async list(filter: DeadLetterFilter, limit: number, before?: DeadLetterPosition): Promise<DeadLetterPage> {
    const found = await this.store.list(filter, limit + 1, before);
    const deadLetters = found.slice(0, limit);
    const last = found.length > limit ? deadLetters.at(-1) : undefined;
    return { deadLetters, ...(last !== undefined && { cursor: writeCursor(positionOf(last)) }) };
  }

  /** @throws GatewayError `DEAD_LETTER_UNKNOWN` */
  async one(given: string): Promise<DeadLetter> {
    const id = readId(given);
    const letter = id === undefined ? undefined : await this.store.one(id);
    if (letter !== undefined) return letter;
    throw new GatewayError(
      'DEAD_LETTER_UNKNOWN',
      'There is no dead letter of that id.',
      'It may have expired.',
    );
  }

  async summary(filter: DeadLetterFilter): Promise<DeadLetterSummary> {
    const [byCode, size] = await Promise.all([this.store.counts(filter), this.store.size()]);
    const sum = (key: 'count' | 'replayed'): number => byCode.reduce((total, each) => total + each[key], 0);
    return { total: sum('count'), replayed: sum('replayed'), byCode, size };
  }

  export(filter: DeadLetterFilter): Promise<Readable> {
    return this.store.export(filter);
  }

  /**
   * Sends dead letters through their pipelines again, oldest first, and marks those that are stored then.
   * The audit trail tells of it.
   * @throws GatewayError `REPLAY_RUNNING`; `REPLAY_UNAVAILABLE` when no reactor has answered, before anything was done
   */
  replay(actor: AuditActor, request: ReplayRequest): Promise<ReplayReport> {
    return this.audit.change(actor, 'dead-letters.replay', replayTarget(request), async (note) => {
      const report = await this.#replayAlone(request);
      note.after = replayResult(request, report);
      return report;
    });
  }

  async #replayAlone(request: ReplayRequest): Promise<ReplayReport> {
    if (this.#replaying) {
      throw new GatewayError('REPLAY_RUNNING', 'Another replay is running.', 'Wait until it has ended.');
    }
    this.#replaying = true;
    try {
      const report = await this.#replay(request);
      this.logger.info({ ...report, cursor: undefined }, 'Dead letters were replayed');
      return report;
    } finally {
      this.#replaying = false;
    }
  }

  async #replay({ filter, limit, after }: ReplayRequest): Promise<ReplayReport> {
    const { store } = this;
    const before = await store.counts({ ...filter, replayed: true });
    const tally = new ReplayTally(before.reduce((sum, { count }) => sum + count, 0));
    let left = limit;
    let position = after;
    for (let first = true; left > 0; first = false) {
      const letters = await store.pending(filter, Math.min(left, CHUNK.letters), CHUNK.bytes, position);
      const last = letters.at(-1);
      if (last === undefined) return tally.report(undefined);
      const outcomes = await this.#send(letters);
      if (outcomes === undefined && first) throw unavailable();
      this.#count(outcomes ?? []);
      await this.#mark(outcomes ?? []);
      tally.add(outcomes ?? []);
      // What could not be written now is where the next call begins again.
      if (outcomes === undefined || outcomes.some(({ outcome }) => outcome === 'failed')) {
        return tally.report(position ?? START);
      }
      position = positionOf(last);
      left -= letters.length;
    }
    return tally.report(position);
  }

  /** `undefined` when a reactor has not answered. */
  async #send(letters: readonly DeadLetter[]): Promise<ReplayOutcome[] | undefined> {
    const all: ReplayOutcome[] = [];
    for (const [pipeline, items] of itemsByPipeline(letters)) {
      const outcomes = await this.dataPlane.replay(pipeline, items);
      if (outcomes === undefined) {
        if (all.length === 0) return undefined;
        all.push(...items.map(({ id }) => ({ id, outcome: 'failed' as const, ...NO_ANSWER })));
        continue;
      }
      all.push(...outcomes);
    }
    return all;
  }

  #count(outcomes: readonly ReplayOutcome[]): void {
    const counts = new Map<string, number>();
    for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    for (const [outcome, count] of counts) this.#replayed.add(count, { outcome });
  }

  async #mark(outcomes: readonly ReplayOutcome[]): Promise<void> {
    const stored = outcomes.filter(({ outcome }) => outcome === 'replayed' || outcome === 'stored');
    await this.store.markReplayed(
      stored.map(({ id }) => id),
      Date.now(),
    );
  }
}

/** Before all dead letters. */
const START: DeadLetterPosition = { receivedAt: 0, id: '00000000-0000-0000-0000-000000000000' };
const NO_ANSWER = { code: 'no_answer', message: 'No reactor has answered.' };

function unavailable(): GatewayError {
  return new GatewayError(
    'REPLAY_UNAVAILABLE',
    'No reactor could be asked to replay dead letters, or none has answered in time.',
    'See the listener in /health/ready, and try again: what was stored is not stored again.',
  );
}
