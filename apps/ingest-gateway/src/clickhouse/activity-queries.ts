import type { ClickHouseClient } from '@clickhouse/client';
import type { EventType } from '@activity-gateway/pipeline/api';
import { type ResultColumn, toObjects } from './activity-row.js';
import { quoteIdentifier } from './migrations/index.js';
import type { ActivityEvent, ActivityQuery, ActivitySummary } from './types.js';

type TypeCount = ActivitySummary['types'][string];

/** Times as ISO 8601 with `Z`; 64-bit integers as text, so that none loses digits; an end to runaway questions. */
const SETTINGS = {
  date_time_output_format: 'iso',
  output_format_json_quote_64bit_integers: 1,
  max_execution_time: 30,
} as const;

/** The questions of the REST API. Values are bound, never put into the text of a query. */
export class ActivityQueries {
  readonly #database: string;

  constructor(
    private readonly client: ClickHouseClient,
    database: string,
    private readonly types: readonly EventType[],
  ) {
    this.#database = quoteIdentifier(database);
  }

  /** Newest first, by the event's time and then by its arrival. */
  async events(query: ActivityQuery): Promise<ActivityEvent[]> {
    const types = this.types.filter(({ type }) => query.type === undefined || type === query.type);
    const found = await Promise.all(types.map((type) => this.#eventsOf(type, query)));
    if (found.length === 1) return found[0] ?? [];
    return found.flat().sort(newestFirst).slice(0, query.limit);
  }

  /** Counts by type and, for the dead letters, by code. */
  async summary(): Promise<ActivitySummary> {
    const [letters, ...counts] = await Promise.all([
      this.#rows<{ code: string; letters: string }>(
        `SELECT code, count() AS letters FROM ${this.#database}.dead_letters GROUP BY code ORDER BY code`,
      ),
      ...this.types.map((type) => this.#count(type)),
    ]);
    const byCode = Object.fromEntries(letters.map((row) => [row.code, Number(row.letters)]));
    return {
      types: Object.fromEntries(counts),
      deadLetters: { total: Object.values(byCode).reduce((sum, count) => sum + count, 0), byCode },
    };
  }

  async #count({ name, type, storage }: EventType): Promise<[type: string, count: TypeCount]> {
    const [row] = await this.#rows<{ events: string; last: string }>(
      `SELECT count() AS events, max(${quoteIdentifier(storage.time)}) AS last FROM ${this.#database}.${name}`,
    );
    const events = Number(row?.events ?? 0);
    return [type, { events, lastEventTime: events === 0 || row === undefined ? null : row.last }];
  }

  async #eventsOf(type: EventType, query: ActivityQuery): Promise<ActivityEvent[]> {
    const result = await this.client.query({
      query: `SELECT * FROM ${this.#database}.${type.name}${conditions(type, query)}
ORDER BY ${quoteIdentifier(type.storage.time)} DESC, received_at DESC LIMIT {limit:UInt32}`,
      query_params: parameters(query),
      format: 'JSONCompact',
      clickhouse_settings: SETTINGS,
    });
    const answer = (await result.json()) as { meta: ResultColumn[]; data: unknown[][] };
    return toObjects(type.type, type.storage.time, answer.meta, answer.data);
  }

  async #rows<Row>(query: string): Promise<Row[]> {
    const result = await this.client.query({ query, format: 'JSONEachRow', clickhouse_settings: SETTINGS });
    return result.json<Row>();
  }
}

function conditions({ storage, search }: EventType, query: ActivityQuery): string {
  const time = quoteIdentifier(storage.time);
  const parts: string[] = [];
  if (query.from !== undefined) parts.push(`${time} >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')`);
  if (query.to !== undefined) parts.push(`${time} < fromUnixTimestamp64Milli({to:Int64}, 'UTC')`);
  if (query.user !== undefined) {
    parts.push(anyOf(search.actor, (column) => `positionCaseInsensitiveUTF8(${column}, {user:String}) > 0`));
  }
  if (query.host !== undefined) {
    parts.push(
      anyOf([...search.host, 'agent_host'], (column) => `lowerUTF8(${column}) = lowerUTF8({host:String})`),
    );
  }
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/** A type without such columns has no such events. */
function anyOf(columns: readonly string[], condition: (column: string) => string): string {
  if (columns.length === 0) return '0';
  return `(${columns.map((column) => condition(quoteIdentifier(column))).join(' OR ')})`;
}

function parameters(query: ActivityQuery): Record<string, unknown> {
  const { from, to, user, host, limit } = query;
  return { from, to, user, host, limit };
}

function newestFirst(a: ActivityEvent, b: ActivityEvent): number {
  return compare(b.event_time, a.event_time) || compare(String(b['received_at']), String(a['received_at']));
}

/** ISO 8601 texts of one form sort as text. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
