import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { sleep } from '../helpers/index.js';
import { TABLES, type TableName } from './format.js';
import type { Change, DatabaseOptions, TableKey } from './database.js';
import type { SpoolWriter } from './writer.js';

/** A change as it crosses to the thread: its value is a range of the message's buffer. */
export type PackedChange = readonly [table: number, key: TableKey, offset: number, length: number];

/** To the thread. `buffer` moves, it is not copied. */
export interface WriteMessage {
  readonly changes: readonly PackedChange[];
  readonly buffer: ArrayBuffer;
}

/** To the thread: close the file until the next write. */
export const LET_GO = 'let-go';

/** From the thread. */
export interface WriteAnswer {
  /** The message's buffer, on its way back. */
  readonly buffer?: ArrayBuffer;
  readonly error?: { readonly message: string; readonly code: string | number | undefined };
}

/** Length of a change that removes. */
export const REMOVED = -1;

/** A buffer up to this size is kept for the next write, bytes; most writes are smaller by far. */
const MAX_SPARE_BYTES = 8 * 1024 * 1024;
/** How long the thread may take to close the file, ms. */
const CLOSE_MS = 5_000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Writes on a thread of its own, so that nobody waits for the disk: events go on being read while it flushes. */
export class ThreadWriter implements SpoolWriter {
  #worker: Worker | undefined;
  #waiter: Waiter | undefined;
  /**
   * The buffer of an earlier write. Left to the thread, which makes no other garbage and so collects none, buffers were up
   * to 60 MiB of memory.
   */
  #spare: ArrayBuffer | undefined;
  #closed = false;

  constructor(private readonly options: DatabaseOptions) {}

  write(changes: readonly Change[]): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('The writer of the spool is closed.'));
    const worker = (this.#worker ??= this.#start());
    const message = pack(changes, this.#spare);
    this.#spare = undefined;
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      worker.postMessage(message, [message.buffer]);
    });
  }

  async closeFile(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiter = { resolve, reject };
      worker.postMessage(LET_GO);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.release();
  }

  async release(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    const over = new AbortController();
    const exited = once(worker, 'exit').then(() => over.abort());
    worker.postMessage(undefined);
    await Promise.race([exited, sleep(CLOSE_MS, over.signal)]);
    await worker.terminate();
  }

  /** A thread that ends by itself has failed: the next write starts another. */
  #start(): Worker {
    const worker = new Worker(new URL('./writer-thread.js', import.meta.url), { workerData: this.options });
    const failed = (error: Error): void => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#waiter?.reject(error);
      this.#waiter = undefined;
    };
    worker.on('message', ({ error, buffer }: WriteAnswer) => {
      if (buffer !== undefined && buffer.byteLength <= MAX_SPARE_BYTES) this.#spare = buffer;
      const waiter = this.#waiter;
      this.#waiter = undefined;
      if (error === undefined) waiter?.resolve();
      else waiter?.reject(Object.assign(new Error(error.message), { code: error.code }));
    });
    worker.on('error', failed);
    worker.on('exit', () => failed(new Error('The writer of the spool has ended.')));
    return worker;
  }
}

function pack(changes: readonly Change[], spare: ArrayBuffer | undefined): WriteMessage {
  let size = 0;
  for (const { value } of changes) size += value?.byteLength ?? 0;
  const fits = spare !== undefined && spare.byteLength >= size;
  const bytes = new Uint8Array(fits ? spare : new ArrayBuffer(size));
  let offset = 0;
  const packed = changes.map(({ table, key, value }): PackedChange => {
    const at = offset;
    if (value === undefined) return [TABLES.indexOf(table), key, at, REMOVED];
    bytes.set(value, at);
    offset += value.byteLength;
    return [TABLES.indexOf(table), key, at, value.byteLength];
  });
  return { changes: packed, buffer: bytes.buffer };
}

/** The changes of a message; values are views of its buffer. */
export function unpack({ changes, buffer }: WriteMessage): Change[] {
  return changes.map(([table, key, offset, length]) => {
    const name = TABLES[table] as TableName;
    return length === REMOVED
      ? { table: name, key }
      : { table: name, key, value: Buffer.from(buffer, offset, length) };
  });
}
