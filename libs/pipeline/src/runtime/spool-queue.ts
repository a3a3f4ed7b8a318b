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
import { BaseQueue, type BaseQueueOptions, type TakenBatch } from './base-queue.js';
import { DiskDestinationQueue, type SealedBatch } from './disk-destination-queue.js';
import type {
  Appended,
  OutcomeCounts,
  QueueItem,
  QueueStats,
  SinkBatch,
  SpoolStats,
  StreamStore,
} from './queue.js';
import { addUp, eventsIn, fromNote, strandedIn, toNote } from './spool-report.js';

/** What a queue on disk is made from. */
export interface SpoolQueueOptions extends BaseQueueOptions {
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

interface TakenFromDisk extends SealedBatch, TakenBatch {}

/**
 * Ends the spool's name of a destination whose entries come with commits only. Commits go on when nothing can be appended;
 * so what they add must not mix with entries of the same destination that still wait to be appended.
 */
const OF_COMMITS = '#rejected';

/** How long it may take until adopted spools can tell what streams they remember, ms. */
const QUIET_MS = 5_000;
const LOOK_AGAIN_MS = 50;

/** Entries on disk: safe when they are flushed, there after any crash, and written then. */
export class SpoolQueue extends BaseQueue<DiskDestinationQueue, TakenFromDisk> {
  readonly #adopted: AdoptedSpools;
  readonly #abort = new AbortController();
  readonly streams: StreamStore = {
    durable: (stream) => this.#durable(stream),
    atomically: (work) => this.#opened().atomically(work),
  };
  #own: Spool | undefined;
  #appending = 0;

  constructor(protected override readonly options: SpoolQueueOptions) {
    super(options);
    this.#adopted = new AdoptedSpools({
      open: (directory) => this.#open(directory),
      joined: (spool) => {
        this.#join(spool);
        this.recheck();
      },
      left: (spool) => {
        for (const queue of this.queues()) queue.leave(spool);
      },
      inherit: (spool) => this.#opened().remember(spool.streams.all()),
      logger: options.logger,
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
      this.options.logger.info({ entries, directory }, 'Spool has old entries; writing them first');
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
        this.changed(this.queue(sink, entry.destination));
      }
    });
    return { accepted, safe };
  }

  override async destroy(): Promise<void> {
    this.#abort.abort();
    await super.destroy();
    await this.#adopted.close();
    await this.#own?.close();
  }

  /** Events on disk that at least one sink has not written, those of earlier runs included. */
  get waitingEvents(): number {
    return eventsIn(this.queues());
  }

  /** What operators have to know, one sentence each. */
  get problems(): string[] {
    const problems = this.#spools().flatMap((spool) => spool.problems);
    const { sinks, count } = strandedIn(this.#spools(), (sink) => this.has(sink));
    if (count === 0) return problems;
    const names = [...sinks].join(', ');
    return [
      ...problems,
      `${count} entries wait for sinks that this pipeline does not have: ${names}. Configure them again, or export the entries.`,
    ];
  }

  stats(): QueueStats {
    const { now } = this.options.conditions();
    const { oldest, ...sums } = addUp(this.queues());
    return { ...sums, oldestMs: now - Math.min(oldest, now), spool: this.#spoolStats() };
  }

  protected override get empty(): boolean {
    return this.#appending === 0 && super.empty;
  }

  protected make(sink: string, destination: string): DiskDestinationQueue {
    const queue = new DiskDestinationQueue(sink, destination);
    if (this.#own !== undefined) queue.join(this.#own);
    return queue;
  }

  protected async seal(from: DiskDestinationQueue, maxRows: number): Promise<TakenFromDisk | undefined> {
    const sealed = await from.freeze(maxRows);
    return sealed && { ...sealed, batch: toBatch(sealed) };
  }

  protected async remove(
    { spool, frozen, batch }: TakenFromDisk,
    from: DiskDestinationQueue,
    deadLetters: readonly QueueItem[],
  ): Promise<void> {
    const added = deadLetters.map((item) => {
      const { entry, ...rest } = this.#newEntry(item);
      return { ...rest, entry: { ...entry, destination: `${entry.destination}${OF_COMMITS}` } };
    });
    await spool.commit(frozen, !from.failing.has(batch.token), added);
    for (const { sink, entry } of added) {
      entry.release?.();
      const queue = this.queue(sink, entry.destination);
      queue.join(spool);
      this.changed(queue);
    }
    this.#adopted.tidy();
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
      stranded: strandedIn(spools, (sink) => this.has(sink)).count,
      adopted: this.#adopted.count,
    };
  }

  #newEntry(item: QueueItem): NewEntry {
    const { sink, entry, sequence } = item;
    return { sink, entry, id: `${this.options.idPrefix}/${sequence}`, receivedAt: this.receivedAt(item) };
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

  /** Tells the queues of the configured sinks what a spool holds for them. */
  #join(spool: Spool): void {
    for (const { sink, destination } of [...spool.lanes]) {
      if (this.has(sink)) this.queue(sink, destination).join(spool);
    }
    this.options.onChanged();
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
}

function toBatch({ frozen, recovered }: SealedBatch): SinkBatch {
  const { lane, record } = frozen;
  const { token, rows, bytes, receivedAt } = record;
  const ofCommits = lane.destination.endsWith(OF_COMMITS);
  const destination = ofCommits ? lane.destination.slice(0, -OF_COMMITS.length) : lane.destination;
  const entries = ofCommits ? frozen.entries.map((entry) => ({ ...entry, destination })) : frozen.entries;
  const batch = { sink: lane.sink, destination, entries, token, rows, bytes, receivedAt };
  // An earlier process may have sent it, or be the one that was cutting refused rows out of it.
  return recovered ? { ...batch, uncertain: true } : batch;
}
