import type { ClickHouseClient } from '@clickhouse/client';
import { type ResultColumn, toObjects } from './activity-row.js';
import { quoteIdentifier } from './migrations/index.js';
import type { ActivityEvent, ActivityQuery, ActivitySummary, ActivityType } from './types.js';

interface ActivityTable {
  readonly table: string;
  /** Columns that hold a user's name or id. */
  readonly users: readonly string[];
  /** Columns that hold a host's name. */
  readonly hosts: readonly string[];
}

const TABLES: Readonly<Record<ActivityType, ActivityTable>> = {
  file: { table: 'file_events', users: ['user_name', 'user_sid'], hosts: ['host', 'agent_host'] },
  sharepoint: {
    table: 'sharepoint_events',
    users: ['user_id', 'user_name', 'user_login'],
    hosts: ['agent_host'],
  },
  copilot: { table: 'copilot_events', users: ['user_id'], hosts: ['agent_host'] },
  leef: { table: 'leef_events', users: ['user_name'], hosts: ['syslog_host', 'agent_host'] },
};
const TYPES = Object.keys(TABLES) as ActivityType[];

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
  ) {
    this.#database = quoteIdentifier(database);
  }

  /** Newest first, by the event's time and then by its arrival. */
  async events(query: ActivityQuery): Promise<ActivityEvent[]> {
    const types = query.type === undefined ? TYPES : [query.type];
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
      ...TYPES.map((type) => this.#count(type)),
    ]);
    const byCode = Object.fromEntries(letters.map((row) => [row.code, Number(row.letters)]));
    return {
      types: Object.fromEntries(
        TYPES.map((type, index) => [type, counts[index]]),
      ) as ActivitySummary['types'],
      deadLetters: { total: Object.values(byCode).reduce((sum, count) => sum + count, 0), byCode },
    };
  }

  async #count(type: ActivityType): Promise<{ events: number; lastEventTime: string | null }> {
    const [row] = await this.#rows<{ events: string; last: string }>(
      `SELECT count() AS events, max(event_time) AS last FROM ${this.#database}.${TABLES[type].table}`,
    );
    const events = Number(row?.events ?? 0);
    return { events, lastEventTime: events === 0 || row === undefined ? null : row.last };
  }

  async #eventsOf(type: ActivityType, query: ActivityQuery): Promise<ActivityEvent[]> {
    const result = await this.client.query({
      query: `SELECT * FROM ${this.#database}.${TABLES[type].table}${conditions(TABLES[type], query)}
ORDER BY event_time DESC, received_at DESC LIMIT {limit:UInt32}`,
      query_params: parameters(query),
      format: 'JSONCompact',
      clickhouse_settings: SETTINGS,
    });
    const answer = (await result.json()) as { meta: ResultColumn[]; data: unknown[][] };
    return toObjects(type, answer.meta, answer.data);
  }

  async #rows<Row>(query: string): Promise<Row[]> {
    const result = await this.client.query({ query, format: 'JSONEachRow', clickhouse_settings: SETTINGS });
    return result.json<Row>();
  }
}

function conditions(table: ActivityTable, query: ActivityQuery): string {
  const parts: string[] = [];
  if (query.from !== undefined) parts.push("event_time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')");
  if (query.to !== undefined) parts.push("event_time < fromUnixTimestamp64Milli({to:Int64}, 'UTC')");
  if (query.user !== undefined) {
    parts.push(anyOf(table.users, (column) => `positionCaseInsensitiveUTF8(${column}, {user:String}) > 0`));
  }
  if (query.host !== undefined) {
    parts.push(anyOf(table.hosts, (column) => `lowerUTF8(${column}) = lowerUTF8({host:String})`));
  }
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

function anyOf(columns: readonly string[], condition: (column: string) => string): string {
  return `(${columns.map(condition).join(' OR ')})`;
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
