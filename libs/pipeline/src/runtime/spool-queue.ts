import type { Observable } from 'rxjs';
import type { Logger, SequenceRange } from '../api/index.js';
import { mergeRanges, sleep } from '../helpers/index.js';
import {
  openSpool,
  type CompletedEntries,
  type NewEntry,
  type RoomLimits,
  type Spool,
} from '../spool/index.js';
import { AdoptedSpools } from './adopted-spools.js';
import { DiskDestinationQueue, type TakenBatch } from './disk-destination-queue.js';
import type { LaneConditions } from './destination-queue.js';
import type {
  Appended,
  EntryQueue,
  QueueEvents,
  QueueItem,
  QueueStats,
  SinkBatch,
  SpoolStats,
  StreamStore,
  OutcomeCounts,
} from './queue.js';
import { ReadyDestinations } from './ready-destinations.js';
import { addUp, eventsIn, fromNote, strandedIn, toNote } from './spool-report.js';

/** What a queue on disk is made from. */
export interface SpoolQueueOptions {
  /** Names of the sinks. */
  readonly sinks: readonly string[];
  /** `<gateway id>/<epoch>`, the first part of entry ids. */
  readonly idPrefix: string;
  /** Asked each time, so that changes hold at once; call `recheck` after one. */
  readonly conditions: () => LaneConditions;
  readonly events: QueueEvents;
  /** Directory of the spool; this reactor's alone. */
  readonly directory: string;
  /** Directories of spools whose reactors are no more. */
  readonly adopt: readonly string[];
  readonly limits: RoomLimits;
  readonly logger: Logger;
  /** As `SpoolOptions.thread`. */
  readonly thread?: boolean;
  /** A flush took so many ms. */
  readonly onFlushed: (ms: number) => void;
  /** `problems` may say something else than before. */
  readonly onChanged: () => void;
}

/**
 * Ends the spool's name of a destination whose entries come with commits only. Commits go on when nothing can be appended;
 * so what they add must not mix with entries of the same destination that still wait to be appended.
 */
const OF_COMMITS = '#rejected';

/** How long it may take until adopted spools can tell what streams they remember, ms. */
const QUIET_MS = 5_000;
const LOOK_AGAIN_MS = 50;

/** Entries on disk: safe when they are flushed, there after any crash, and written then. */
export class SpoolQueue implements EntryQueue {
  readonly #lanes: ReadyDestinations<DiskDestinationQueue>;
  readonly #out = new Map<string, TakenBatch>();
  readonly #adopted: AdoptedSpools;
  readonly #abort = new AbortController();
  readonly streams: StreamStore = {
    durable: (stream) => this.#durable(stream),
    atomically: (work) => this.#opened().atomically(work),
  };
  #own: Spool | undefined;
  #appending = 0;

  constructor(private readonly options: SpoolQueueOptions) {
    const { sinks, conditions, logger } = options;
    this.#lanes = new ReadyDestinations(sinks, conditions, (sink, destination) =>
      this.#lane(sink, destination),
    );
    this.#adopted = new AdoptedSpools({
      open: (directory) => this.#open(directory),
      joined: (spool) => {
        this.#join(spool);
        this.#lanes.recheck();
      },
      left: (spool) => {
        for (const lane of this.#lanes.all()) lane.leave(spool);
      },
      inherit: (spool) => this.#opened().remember(spool.streams.all()),
      logger,
    });
  }

  /** @throws GatewayError as `openSpool` */
  async open(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#abort.abort(), { once: true });
    const own = await this.#open(this.options.directory);
    this.#own = own;
    this.#join(own);
    this.#adopted.adopt(this.options.adopt);
    const { entries, directory } = own;
    if (entries > 0)
      this.options.logger.info({ entries, directory }, 'the spool holds entries of earlier, they go first');
  }

  /** Takes over spools whose reactors are no more. */
  adopt(directories: readonly string[]): void {
    this.#adopted.adopt(directories);
  }

  append(items: readonly QueueItem[], tally?: OutcomeCounts): Appended {
    const own = this.#opened();
    const { accepted, durable } = own.append(
      items.map((item) => this.#newEntry(item)),
      tally && toNote(tally),
    );
    this.#appending += 1;
    const safe = durable.then(() => {
      this.#appending -= 1;
      for (const { sink, entry } of items) {
        entry.release?.();
        this.#lanes.check(this.#lanes.lane(sink, entry.destination));
      }
    });
    return { accepted, safe };
  }

  ready(sink: string): Observable<string> {
    return this.#lanes.ready(sink);
  }

  async take(sink: string, destination: string): Promise<SinkBatch | undefined> {
    const lane = this.#lanes.lane(sink, destination);
    lane.announced = Math.max(0, lane.announced - 1);
    if (lane.failing.size > 0) return undefined;
    lane.out += 1;
    const taken = await lane.freeze(this.options.conditions().maxRows);
    if (taken === undefined) {
      lane.out -= 1;
      this.#completeIfEmpty();
      return undefined;
    }
    this.#out.set(taken.frozen.record.token, taken);
    this.#lanes.check(lane);
    return toBatch(taken);
  }

  async commit(batch: SinkBatch, deadLetters: readonly QueueItem[] = []): Promise<void> {
    const taken = this.#out.get(batch.token);
    if (taken === undefined) return;
    this.#out.delete(batch.token);
    const { frozen, spool } = taken;
    const lane = this.#lanes.lane(batch.sink, frozen.lane.destination);
    const added = deadLetters.map((item) => {
      const { entry, ...rest } = this.#newEntry(item);
      return { ...rest, entry: { ...entry, destination: `${entry.destination}${OF_COMMITS}` } };
    });
    await spool.commit(frozen, !lane.failing.has(batch.token), added);
    lane.out -= 1;
    lane.failing.delete(batch.token);
    this.#lanes.check(lane);
    for (const { sink, entry } of added) {
      entry.release?.();
      const letters = this.#lanes.lane(sink, entry.destination);
      letters.join(spool);
      this.#lanes.check(letters);
    }
    this.#adopted.tidy();
    this.#completeIfEmpty();
  }

  hold({ sink, destination, token }: SinkBatch): void {
    const name = this.#out.get(token)?.frozen.lane.destination ?? destination;
    this.#lanes.lane(sink, name).failing.add(token);
  }

  recheck(): void {
    this.#lanes.recheck();
  }

  close(): void {
    this.#lanes.close();
    this.#completeIfEmpty();
  }

  async destroy(): Promise<void> {
    this.#abort.abort();
    this.#lanes.destroy();
    await this.#adopted.close();
    await this.#own?.close();
    this.#out.clear();
  }

  /** Events on disk that at least one sink has not written, those of earlier runs included. */
  get waitingEvents(): number {
    return eventsIn([...this.#lanes.all()]);
  }

  /** What operators have to know, one sentence each. */
  get problems(): string[] {
    const problems = this.#spools().flatMap((spool) => spool.problems);
    const { sinks, count } = strandedIn(this.#spools(), (sink) => this.#lanes.has(sink));
    if (count === 0) return problems;
    const names = [...sinks].join(', ');
    return [
      ...problems,
      `${count} entries wait for sinks that this pipeline does not have: ${names}. Configure them again, or export the entries.`,
    ];
  }

  stats(): QueueStats {
    const { now } = this.options.conditions();
    const { oldest, ...sums } = addUp([...this.#lanes.all()]);
    return { ...sums, oldestMs: now - Math.min(oldest, now), spool: this.#spoolStats() };
  }

  #spoolStats(): SpoolStats {
    const spools = this.#spools();
    const sum = (of: (spool: Spool) => number): number =>
      spools.reduce((total, spool) => total + of(spool), 0);
    return {
      entries: sum((spool) => spool.entries),
      bytes: sum((spool) => spool.usedBytes),
      maxBytes: this.options.limits.maxBytes,
      full: this.#own?.full === true ? 1 : 0,
      quarantined: sum((spool) => spool.quarantined),
      stranded: strandedIn(spools, (sink) => this.#lanes.has(sink)).count,
      adopted: this.#adopted.count,
    };
  }

  #newEntry({ sink, entry, sequence, receivedAt }: QueueItem): NewEntry {
    // A receipt in the future, by a clock set back, must not make the entry wait.
    const { now } = this.options.conditions();
    return { sink, entry, id: `${this.options.idPrefix}/${sequence}`, receivedAt: Math.min(receivedAt, now) };
  }

  #open(directory: string): Promise<Spool> {
    const { limits, logger, thread, idPrefix, events, conditions } = this.options;
    const own = (id: string): boolean => id.startsWith(`${idPrefix}/`);
    const tell = (what: 'written' | 'lost', { id, note }: CompletedEntries): void => {
      const tally = fromNote(note);
      if (tally !== undefined) events[what](tally, own(id));
    };
    return openSpool({
      directory,
      limits,
      logger,
      ...(thread !== undefined && { thread }),
      now: () => conditions().now,
      signal: this.#abort.signal,
      events: {
        written: (ended) => tell('written', ended),
        lost: (ended) => tell('lost', ended),
        flushed: this.options.onFlushed,
        changed: this.options.onChanged,
      },
    });
  }

  /** Lets the lanes of the configured sinks know what a spool holds for them. */
  #join(spool: Spool): void {
    for (const { sink, destination } of [...spool.lanes]) {
      if (this.#lanes.has(sink)) this.#lanes.lane(sink, destination).join(spool);
    }
    this.options.onChanged();
  }

  #lane(sink: string, destination: string): DiskDestinationQueue {
    const lane = new DiskDestinationQueue(sink, destination);
    if (this.#own !== undefined) lane.join(this.#own);
    return lane;
  }

  /** Adopted spools remember streams too, and hand that on when they are removed. */
  async #durable(stream: string): Promise<readonly SequenceRange[] | undefined> {
    const deadline = performance.now() + QUIET_MS;
    while (!this.#adopted.quiet) {
      if (performance.now() > deadline || this.#abort.signal.aborted) return undefined;
      await sleep(LOOK_AGAIN_MS);
    }
    return mergeRanges(this.#spools().flatMap((spool) => spool.streams.durable(stream)));
  }

  #spools(): Spool[] {
    return [...(this.#own === undefined ? [] : [this.#own]), ...this.#adopted.spools];
  }

  #opened(): Spool {
    if (this.#own === undefined) throw new Error('The spool is not open.');
    return this.#own;
  }

  #completeIfEmpty(): void {
    if (!this.#lanes.closing || this.#appending > 0) return;
    const lanes = [...this.#lanes.all()];
    if (lanes.every(({ out }) => out === 0) && addUp(lanes).entries === 0) this.#lanes.complete();
  }
}

function toBatch({ frozen, recovered }: TakenBatch): SinkBatch {
  const { lane, record } = frozen;
  const { token, rows, bytes, receivedAt } = record;
  const ofCommits = lane.destination.endsWith(OF_COMMITS);
  const destination = ofCommits ? lane.destination.slice(0, -OF_COMMITS.length) : lane.destination;
  const entries = ofCommits ? frozen.entries.map((entry) => ({ ...entry, destination })) : frozen.entries;
  const batch = { sink: lane.sink, destination, entries, token, rows, bytes, receivedAt };
  // An earlier process may have sent it, or be the one that was cutting refused rows out of it.
  return recovered ? { ...batch, uncertain: true } : batch;
}
