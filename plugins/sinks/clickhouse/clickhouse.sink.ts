import {
  type Block,
  deadLetters,
  type EncodedEntry,
  type EventType,
  PartialWriteError,
  PermanentError,
  type PluginContext,
  type Recovery,
  type RecoveryCause,
  type RejectedRow,
  RetryableError,
  type Sink,
  type SinkError,
} from '@activity-gateway/pipeline/api';
import { BufferPool } from '@activity-gateway/pipeline/helpers';
import { BodyLimit } from './body-limit.js';
import { classifyError } from './classify-error.js';
import { Clients, type Connection } from './clients.js';
import type { ClickHouseSinkConfig } from './config.js';
import { insertBlocks, StructureChanged } from './insert.js';
import { codeOf, MEMORY_ATTEMPTS, MEMORY_LIMIT, outOfMemory } from './isolation.js';
import { ByteWriter } from './native/byte-writer.js';
import { EncoderPool } from './native/encoder-pool.js';
import { OpenBlock } from './open-block.js';
import { BatchRecovery, isWhole, type RecoveredBatch, type Target } from './recovery.js';
import { SinkState } from './sink-state.js';
import { rowsOf } from './slice-entries.js';
import { accounted, lookUp, type StoredEntry } from './stored-rows.js';
import { describeTables, readTables, type TableState } from './table-columns.js';
import { insertColumns } from './table-fields.js';
import { failedView, ViewWatch } from './views.js';

/** Tables are read again when what is known of them is older, ms: somebody may have put another one in their place. */
const READ_AGAIN_MS = 30_000;

/** Entries that wait for the disk: of 2,000 file events 300 to 400 KiB. */
const ENTRY_BUFFERS = { minBytes: 16 * 1024, maxSpareBytes: 4 * 1024 * 1024 };

interface Known {
  readonly connection: Connection;
  /** When it was asked for, ms. */
  readonly at: number;
  readonly tables: Promise<Map<string, TableState>>;
}

/** Writes records to the tables named after their event types, as Native blocks. */
export class ClickHouseSink implements Sink {
  readonly #clients: Clients;
  readonly #types: ReadonlyMap<string, EventType>;
  readonly #encoders = new Map<string, EncoderPool>();
  readonly #writer = new ByteWriter();
  readonly #buffers = new BufferPool(ENTRY_BUFFERS);
  /** What the server of `#known.connection` said of its tables; asked anew for another one and after a refusal. */
  #known: Known | undefined;
  #reported = '';
  readonly #recovery = new BatchRecovery();
  readonly #state: SinkState;
  readonly #views: ViewWatch;
  readonly #limit: BodyLimit;
  readonly #unsubscribe: () => void;
  /** Attempts, by token, that ended for want of memory. */
  readonly #outOfMemory = new Map<string, number>();

  constructor(
    config: ClickHouseSinkConfig,
    private readonly context: PluginContext<'endpoints'>,
  ) {
    this.#clients = new Clients(config, context.services.endpoints);
    this.#types = new Map(context.eventTypes.map((type) => [type.name, type]));
    this.#state = new SinkState((state, reason) => context.report(state, reason));
    this.#views = new ViewWatch(context, this.#state);
    this.#limit = new BodyLimit(this.#state, () => context.now());
    this.#unsubscribe = context.services.endpoints.subscribe(() => void this.#lookAgain());
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#clients.close();
  }

  /** @throws PermanentError | RetryableError what a write would meet */
  async check(signal: AbortSignal): Promise<void> {
    const { tables } = await this.#contact(signal);
    for (const { problem } of tables.values()) {
      if (problem !== undefined) throw new PermanentError(problem, 'SCHEMA');
    }
  }

  open(type: EventType): Block {
    return new OpenBlock(type.name, this.#encodersOf(type), this.#writer, this.#buffers);
  }

  async write(entries: readonly EncodedEntry[], token: string, signal: AbortSignal): Promise<void> {
    await this.#run(entries, token, signal, async (target) => {
      try {
        await insertBlocks(target.connection, { ...target, entries, token }, signal);
      } catch (error) {
        // A view that fails also when it is to be passed over, such as by using up the time of the query: the rows may be in.
        const view = failedView(error);
        const { connection, table } = target;
        if (view === undefined || !isWhole(entries, await lookUp(connection, table, entries, signal)))
          throw error;
        this.#views.failed(table, view, rowsOf(entries));
      }
    });
  }

  async recover(
    entries: readonly EncodedEntry[],
    token: string,
    why: RecoveryCause,
    signal: AbortSignal,
  ): Promise<Recovery> {
    const found = await this.#run(entries, undefined, signal, ({ connection, table }) =>
      lookUp(connection, table, entries, signal),
    );
    const batch = { entries, token, ...why };
    let { refusal } = why;
    if (refusal === undefined && !this.#recovery.isIsolating(token)) {
      refusal = await this.#complete(batch, found ?? [], signal);
    }
    const isolated = refusal !== undefined || this.#recovery.isIsolating(token);
    const rejected = isolated ? await this.#isolate({ ...batch, ...(refusal && { refusal }) }, signal) : [];
    return { found: (found ?? []).map(accounted), rejected };
  }

  /** Returns what keeps the batch from being completed as a whole. */
  async #complete(
    batch: RecoveredBatch,
    found: readonly StoredEntry[],
    signal: AbortSignal,
  ): Promise<PartialWriteError | undefined> {
    try {
      await this.#run(batch.entries, batch.token, signal, (target) =>
        this.#recovery.complete(target, batch, found, signal),
      );
      return undefined;
    } catch (error) {
      if (error instanceof PartialWriteError) return error;
      throw error;
    }
  }

  async #isolate(batch: RecoveredBatch, signal: AbortSignal): Promise<RejectedRow[]> {
    const rejected = await this.#run(batch.entries, undefined, signal, (target) =>
      this.#recovery.isolate(target, batch, signal),
    );
    return rejected ?? [];
  }

  /** Does something with the table of the entries; what it fails with says what the host does next. */
  async #run<T>(
    entries: readonly EncodedEntry[],
    token: string | undefined,
    signal: AbortSignal,
    work: (target: Target) => Promise<T>,
  ): Promise<T | undefined> {
    const [first] = entries;
    if (first === undefined) return undefined;
    const table = first.destination;
    try {
      signal.throwIfAborted();
      const result = await this.#withTarget(table, signal, work);
      if (token !== undefined) this.#outOfMemory.delete(token);
      return result;
    } catch (error) {
      const failure = classifyError(error, {
        table,
        rows: rowsOf(entries),
        entries: entries.length,
        aborted: signal.aborted,
      });
      // A person may have changed the table by the next attempt, or have changed it just now.
      if (!(failure instanceof RetryableError) || failure instanceof StructureChanged)
        this.#known = undefined;
      throw this.#judge(failure, table, token);
    }
  }

  /** Where the columns turn out to be other ones, they are read, and it is done again. */
  async #withTarget<T>(table: string, signal: AbortSignal, work: (target: Target) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#target(table, signal));
    } catch (error) {
      if (!(error instanceof StructureChanged)) throw error;
      this.#known = undefined;
      return work(await this.#target(table, signal));
    }
  }

  /** What has to be divided, and what cannot be. */
  #judge(failure: SinkError, table: string, token: string | undefined): SinkError {
    if (failure instanceof PartialWriteError && table === deadLetters.name) {
      const message = `${failure.message}; dead letters that are refused themselves wait`;
      return new PermanentError(message, failure.code, { cause: failure.cause });
    }
    if (token === undefined || codeOf(failure) !== MEMORY_LIMIT) return failure;
    const attempts = (this.#outOfMemory.get(token) ?? 0) + 1;
    this.#outOfMemory.set(token, attempts);
    if (attempts < MEMORY_ATTEMPTS) return failure;
    this.#outOfMemory.delete(token);
    return outOfMemory(failure);
  }

  async #target(table: string, signal: AbortSignal): Promise<Target> {
    let { connection, tables } = await this.#contact(signal);
    if (tables.get(table)?.problem !== undefined) {
      // A write to another table may have read that, and the table be there by now.
      this.#known = undefined;
      ({ connection, tables } = await this.#contact(signal));
    }
    const state = tables.get(table);
    if (state?.problem !== undefined) throw new PermanentError(state.problem, 'SCHEMA');
    const type = this.#types.get(table);
    const columns = type === undefined ? [] : insertColumns(type, state?.types);
    const { structure = '', partitionKey = '' } = state ?? {};
    return {
      connection,
      table,
      columns,
      structure,
      partitionKey,
      views: this.#views,
      limit: this.#limit,
    };
  }

  /** The connection, and what its server says of the tables. */
  async #contact(signal: AbortSignal): Promise<{ connection: Connection; tables: Map<string, TableState> }> {
    const connection = this.#clients.current();
    const known = this.#fresh(connection) ?? this.#ask(connection, signal);
    try {
      return { connection, tables: await known.tables };
    } catch (error) {
      if (this.#known === known) this.#known = undefined;
      throw classifyError(error, { table: 'any table', rows: 0, entries: 0, aborted: signal.aborted });
    }
  }

  /** The address is told anew where the server was migrated: what was wrong with the tables may not be any more. */
  async #lookAgain(): Promise<void> {
    if (this.#reported === '') return;
    this.#known = undefined;
    await this.#contact(AbortSignal.timeout(READ_AGAIN_MS)).catch(() => undefined);
  }

  #fresh(connection: Connection): Known | undefined {
    const known = this.#known;
    if (known?.connection !== connection) return undefined;
    // A clock that was set back makes nothing young.
    return Math.abs(this.context.now() - known.at) < READ_AGAIN_MS ? known : undefined;
  }

  #ask(connection: Connection, signal: AbortSignal): Known {
    const tables = readTables(connection, this.context.eventTypes, signal).then((found) => {
      this.#learn(found);
      return found;
    });
    this.#known = { connection, at: this.context.now(), tables };
    return this.#known;
  }

  /** Encodes for the tables as they are from now on, and tells operators what is wrong with them. */
  #learn(tables: ReadonlyMap<string, TableState>): void {
    const state = describeTables(tables);
    const text = JSON.stringify([state, ...[...tables].map(([name, table]) => [name, ...table.types])]);
    if (text === this.#reported) return;
    this.#reported = text;
    for (const [name, { types }] of tables) {
      const type = this.#types.get(name);
      if (type !== undefined) this.#encodersOf(type).learn(types);
    }
    this.#state.setTables(state);
  }

  #encodersOf(type: EventType): EncoderPool {
    let pool = this.#encoders.get(type.name);
    if (pool === undefined) this.#encoders.set(type.name, (pool = new EncoderPool(type)));
    return pool;
  }
}
