import { Backoff, sleep } from '../helpers/index.js';
import type { Change } from './database.js';
import type { SpoolFull } from './disk-space.js';
import type { SpoolWriter } from './writer.js';

/**
 * Bytes that may wait for the disk before appending has to wait: 4 MiB. What waits here makes everything behind it wait,
 * also the events of senders that send little; one flush of so much takes about 10 ms.
 */
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/**
 * Least time from the start of one flush to the next, ms. The first flush after a pause starts at once. A flush costs 0.8 ms
 * of processor time whatever its size: two syncs, each with waits and calls to the disk. An acknowledgement may take 100 ms,
 * so while much waits after `everyMs` the flush waits longer, and there are half as many. Not while so much comes that
 * appending would have to wait: then the bytes are what costs.
 */
const FLUSH = { everyMs: 10, busyEveryMs: 20, busyFromBytes: 128 * 1024, busyToBytes: MAX_WAITING_BYTES / 4 };
/** How often room is looked for again while there is none, ms. */
const ROOM_EVERY_MS = 200;
const RETRY = { initialMs: 100, maxMs: 5_000 };

/** What a group commit works with. */
export interface GroupCommitOptions {
  readonly writer: SpoolWriter;
  /** What keeps so many bytes from being appended, if anything does; asked before each flush. */
  readonly room: (bytes: number) => SpoolFull | undefined;
  /** What keeps appends from being written now; `undefined`: nothing does. */
  readonly onRoom: (noRoom: SpoolFull | undefined) => void;
  /** A flush took so many ms and appended so many bytes. */
  readonly onFlushed: (ms: number, bytes: number) => void;
  /** Called after each flush; the next one waits for what it returns. Does not reject. */
  readonly betweenFlushes?: () => Promise<void> | undefined;
  /** A flush failed (it is tried again when this resolves), or `undefined`: it works again. Does not reject. */
  readonly onFailure: (error: Error | undefined) => Promise<void>;
}

/** What becomes of changes that were submitted; neither promise rejects, and both may never resolve after `stop`. */
export interface Submitted {
  /** Little enough waits, so that more may be appended; `undefined` when that is so at once. */
  readonly accepted: Promise<void> | undefined;
  /** The changes are on disk. */
  readonly durable: Promise<void>;
}

interface Submission {
  readonly changes: readonly Change[];
  readonly bytes: number;
  /** Submissions with the same number are written in one flush. */
  readonly group: number;
  readonly done: () => void;
}

/**
 * One flush for all that waits: while one is under way, the next one gathers. What cannot be written waits and is tried
 * again, in the order it came. Changes that make room (`change`) go on when nothing can be appended.
 */
export class GroupCommit {
  #appends: Submission[] = [];
  #changes: Submission[] = [];
  #waitingBytes = 0;
  #acceptWaiters: (() => void)[] = [];
  #running: Promise<void> | undefined;
  /** Ends the sleep under way. None between two: what `abort` is given, an error with its stack, is made each time. */
  #nap: AbortController | undefined;
  #appendsHeldUntil = 0;
  #flushedAt = -Infinity;
  #stopped = false;
  #groups = 0;
  #group: number | undefined;
  readonly #backoff = new Backoff(RETRY);

  constructor(private readonly options: GroupCommitOptions) {}

  /** Bytes that wait for the disk. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Whether anything waits for the disk. */
  get idle(): boolean {
    return this.#appends.length === 0 && this.#changes.length === 0 && this.#running === undefined;
  }

  /** Appends so many bytes. */
  append(changes: readonly Change[], bytes: number): Submitted {
    this.#waitingBytes += bytes;
    const group = this.#group ?? (this.#groups += 1);
    const durable = new Promise<void>((done) => this.#appends.push({ changes, bytes, group, done }));
    this.#start();
    return { accepted: this.#accepted(), durable };
  }

  /** What `work` appends is on disk at once, in one transaction. */
  atomically(work: () => unknown): void {
    this.#group = this.#groups += 1;
    try {
      work();
    } finally {
      this.#group = undefined;
    }
  }

  /** Changes what is there; resolves when that is on disk. */
  change(changes: readonly Change[]): Promise<void> {
    const durable = new Promise<void>((done) => this.#changes.push({ changes, bytes: 0, group: 0, done }));
    this.#start();
    this.wake();
    return durable;
  }

  /** Looks for room at once. */
  wake(): void {
    this.#nap?.abort();
  }

  /** Writes nothing more; resolves when the flush under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
    this.#appends = [];
    this.#changes = [];
  }

  #accepted(): Promise<void> | undefined {
    if (this.#waitingBytes <= MAX_WAITING_BYTES) return undefined;
    return new Promise((resolve) => this.#acceptWaiters.push(resolve));
  }

  #start(): void {
    if (this.#stopped) return;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is submitted in this turn of the event loop goes with the first flush.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#stopped && this.#appends.length + this.#changes.length > 0) {
      await this.#sleepUntil(this.#flushedAt + FLUSH.everyMs);
      if (this.#busy) await this.#sleepUntil(this.#flushedAt + FLUSH.busyEveryMs);
      const appends = this.#takeAppends();
      const changes = this.#changes.splice(0);
      if (appends.length + changes.length === 0) await this.#sleep(ROOM_EVERY_MS);
      else await this.#flush(appends, changes);
      const pause = this.options.betweenFlushes?.();
      if (pause !== undefined) await pause;
    }
    this.#running = undefined;
  }

  /** Whether a longer wait pays and does not make appending wait. */
  get #busy(): boolean {
    return this.#waitingBytes >= FLUSH.busyFromBytes && this.#waitingBytes < FLUSH.busyToBytes;
  }

  async #sleepUntil(time: number): Promise<void> {
    const early = time - performance.now();
    if (early > 1) await sleep(early);
  }

  async #flush(appends: Submission[], changes: Submission[]): Promise<void> {
    const began = performance.now();
    this.#flushedAt = began;
    try {
      await this.options.writer.write([...changes, ...appends].flatMap((submission) => submission.changes));
    } catch (error) {
      this.#appends = [...appends, ...this.#appends];
      this.#changes = [...changes, ...this.#changes];
      await this.options.onFailure(error instanceof Error ? error : new Error(String(error)));
      const wait = this.#backoff.next();
      this.#appendsHeldUntil = performance.now() + wait;
      // Changes alone may fit where appends do not: they are what makes room.
      if (appends.length === 0 || changes.length === 0) await this.#sleep(wait);
      return;
    }
    const bytes = appends.reduce((sum, append) => sum + append.bytes, 0);
    this.options.onFlushed(performance.now() - began, bytes);
    this.#ended(appends, changes);
  }

  #ended(appends: readonly Submission[], changes: readonly Submission[]): void {
    for (const { done } of changes) done();
    for (const { bytes, done } of appends) {
      this.#waitingBytes -= bytes;
      done();
    }
    // While appends are held back, that the changes could be written says little.
    if (appends.length > 0 || this.#appends.length === 0) {
      this.#backoff.reset();
      void this.options.onFailure(undefined);
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) return;
    for (const resolve of this.#acceptWaiters.splice(0)) resolve();
  }

  /** As many appends as one flush should have and there is room for. */
  #takeAppends(): Submission[] {
    if (this.#appends.length === 0 || performance.now() < this.#appendsHeldUntil) return [];
    let bytes = 0;
    let count = 0;
    let noRoom: SpoolFull | undefined;
    while (count < this.#appends.length) {
      const next = this.#groupAt(count);
      if (count > 0 && bytes + next.bytes > MAX_WAITING_BYTES) break;
      noRoom = this.options.room(bytes + next.bytes);
      if (noRoom !== undefined) break;
      bytes += next.bytes;
      count += next.count;
    }
    this.options.onRoom(count === 0 ? noRoom : undefined);
    return this.#appends.splice(0, count);
  }

  /** How many appends from this place on belong together, and their bytes. */
  #groupAt(start: number): { count: number; bytes: number } {
    const group = this.#appends[start]?.group;
    let bytes = 0;
    let count = 0;
    for (let next = this.#appends[start]; next?.group === group; next = this.#appends[start + count]) {
      if (next === undefined) break;
      bytes += next.bytes;
      count += 1;
    }
    return { count, bytes };
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#stopped) return;
    this.#nap = new AbortController();
    await sleep(ms, this.#nap.signal);
    this.#nap = undefined;
  }
}
