import type { ClickHouseClient } from '@clickhouse/client';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { Backoff } from '@activity-gateway/pipeline/helpers';

/** Servers that are remembered: those behind one balancer are few. */
const MAX_KNOWN = 64;
/** Waits before a migration that is made again, ms; they start over when there was none for `CALM_MS`. */
const WAITS = { initialMs: 200, maxMs: 60_000 } as const;
const CALM_MS = 600_000;

/** What a server says of itself. */
export interface ServerIdentity {
  readonly version: string;
  /** Differs where another server, or another database of this name, answers. */
  readonly id: string;
}

interface IdentityRow {
  readonly version: string;
  readonly server: string;
  readonly journal: string | null;
}

/**
 * Asks a server who it is. The journal of the migrations is part of it: a database that was made again is another one, and
 * the embedded ClickHouse has no identifier of its own.
 * @throws what the client throws
 */
export async function identify(
  client: ClickHouseClient,
  database: string,
  signal: AbortSignal,
): Promise<ServerIdentity> {
  const result = await client.query({
    query: `SELECT version() AS version, toString(serverUUID()) AS server,
      (SELECT toString(uuid) FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations') AS journal`,
    query_params: { database },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  const [row] = await result.json<IdentityRow>();
  return { version: row?.version ?? '', id: `${row?.server ?? ''}/${row?.journal ?? ''}` };
}

/** Servers that were migrated, and how long to wait before one is migrated again. */
export class KnownServers {
  readonly #ids = new Set<string>();
  readonly #waits = new Backoff(WAITS);
  #last = Number.NEGATIVE_INFINITY;

  /** Remembers a server that was migrated. @returns whether it is a new one */
  add({ id }: ServerIdentity): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > MAX_KNOWN && oldest !== undefined) this.#ids.delete(oldest);
    return true;
  }

  /** @throws GatewayError `CLICKHOUSE_TABLES_MISSING`, `CLICKHOUSE_SERVER_CHANGED`: it has to be migrated */
  check({ id }: ServerIdentity, missing: readonly string[]): void {
    if (missing.length > 0) {
      throw new GatewayError('CLICKHOUSE_TABLES_MISSING', `ClickHouse has no table ${missing.join(', ')}.`);
    }
    if (this.#ids.has(id)) return;
    throw new GatewayError('CLICKHOUSE_SERVER_CHANGED', 'Another ClickHouse answers at the address.');
  }

  /** How long to wait before the next migration, ms: longer each time, where it does not help. */
  nextWait(): number {
    const now = performance.now();
    if (now - this.#last > CALM_MS) this.#waits.reset();
    this.#last = now;
    return this.#waits.next();
  }
}

/** Whether an error of a watch means that the server has to be migrated. */
export function needsMigration(error: unknown): error is GatewayError {
  return (
    error instanceof GatewayError &&
    (error.code === 'CLICKHOUSE_TABLES_MISSING' || error.code === 'CLICKHOUSE_SERVER_CHANGED')
  );
}
