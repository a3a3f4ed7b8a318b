import {
  type EncodedEntry,
  type EventType,
  PermanentError,
  type PluginContext,
  type RecordBatch,
  type Sink,
} from '@app/pipeline/api';
import { classifyError } from './classify-error.js';
import { Clients, type Connection } from './clients.js';
import type { ClickHouseSinkConfig } from './config.js';
import { insertBlocks } from './insert.js';
import { ByteWriter } from './native/byte-writer.js';
import { TableEncoder, tableFields } from './native/table-encoder.js';
import { readTables, type TableState } from './table-columns.js';

interface Known {
  readonly connection: Connection;
  readonly tables: Promise<Map<string, TableState>>;
}

/** Writes records to the tables named after their event types, as Native blocks. */
export class ClickHouseSink implements Sink {
  readonly #clients: Clients;
  readonly #types: ReadonlyMap<string, EventType>;
  readonly #encoders = new Map<string, TableEncoder>();
  readonly #writer = new ByteWriter();
  /** What the server of `#known.connection` said of its tables; asked anew for another one and after a refusal. */
  #known: Known | undefined;
  #reported = '';

  constructor(
    config: ClickHouseSinkConfig,
    private readonly context: PluginContext,
  ) {
    this.#clients = new Clients(config, context.services.endpoints);
    this.#types = new Map(context.eventTypes.map((type) => [type.name, type]));
  }

  async stop(): Promise<void> {
    await this.#clients.close();
  }

  /** @throws PermanentError | RetryableError what a write would meet */
  async check(signal: AbortSignal): Promise<void> {
    const { tables } = await this.#contact(signal);
    for (const { problem } of tables.values()) {
      if (problem !== undefined) throw new PermanentError(problem, 'SCHEMA');
    }
  }

  encode(batch: RecordBatch, entryId: string): EncodedEntry {
    const { type, records } = batch;
    let encoder = this.#encoders.get(type.name);
    if (encoder === undefined) {
      encoder = new TableEncoder(type);
      this.#encoders.set(type.name, encoder);
    }
    try {
      encoder.encode(batch, entryId, this.#writer);
      return { destination: type.name, bytes: this.#writer.take(), rows: records.length };
    } finally {
      this.#writer.offset = 0;
    }
  }

  async write(entries: readonly EncodedEntry[], token: string, signal: AbortSignal): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    const table = first.destination;
    const rows = entries.reduce((sum, entry) => sum + entry.rows, 0);
    try {
      signal.throwIfAborted();
      const { connection, tables } = await this.#contact(signal);
      const problem = tables.get(table)?.problem;
      if (problem !== undefined) throw new PermanentError(problem, 'SCHEMA');
      await insertBlocks(connection, { table, columns: this.#columns(table), entries, token }, signal);
    } catch (error) {
      const failure = classifyError(error, { table, rows, aborted: signal.aborted });
      // A person may have changed the table by the next attempt, or have changed it just now.
      if (failure instanceof PermanentError) this.#known = undefined;
      throw failure;
    }
  }

  /** The connection, and what its server says of the tables. */
  async #contact(signal: AbortSignal): Promise<{ connection: Connection; tables: Map<string, TableState> }> {
    const connection = this.#clients.current();
    const known = this.#known?.connection === connection ? this.#known : this.#ask(connection, signal);
    try {
      return { connection, tables: await known.tables };
    } catch (error) {
      if (this.#known === known) this.#known = undefined;
      throw classifyError(error, { table: 'any table', rows: 0, aborted: signal.aborted });
    }
  }

  #ask(connection: Connection, signal: AbortSignal): Known {
    const tables = readTables(connection, this.context.eventTypes, signal).then((found) => {
      this.#learn(found);
      return found;
    });
    this.#known = { connection, tables };
    return this.#known;
  }

  /** Encodes for the tables as they are from now on, and tells operators what is wrong with them. */
  #learn(tables: ReadonlyMap<string, TableState>): void {
    const state = describe(tables);
    const text = JSON.stringify([state, ...[...tables].map(([name, table]) => [name, ...table.types])]);
    if (text === this.#reported) return;
    this.#reported = text;
    for (const [name, { types }] of tables) {
      const type = this.#types.get(name);
      if (type !== undefined) this.#encoders.set(name, new TableEncoder(type, types));
    }
    this.context.report(state.state, state.reason);
  }

  #columns(table: string): string[] {
    const type = this.#types.get(table);
    return type === undefined ? [] : Object.keys(tableFields(type));
  }
}

function describe(tables: ReadonlyMap<string, TableState>): {
  state: 'ok' | 'degraded' | 'failed';
  reason?: string;
} {
  const states = [...tables.values()];
  const problems = states.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) return { state: 'failed', reason: problems.join(' ') };
  const warnings = states.flatMap(({ warning }) => warning ?? []);
  return warnings.length > 0 ? { state: 'degraded', reason: warnings.join(' ') } : { state: 'ok' };
}
