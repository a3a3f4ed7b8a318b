import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { beside, positionParams, whereOf } from './dead-letter-filter.js';
import type {
  DeadLetter,
  DeadLetterCount,
  DeadLetterFilter,
  DeadLetterPosition,
  DeadLetterSize,
  DeadLetterStore,
} from './dead-letter-types.js';
import { quoteIdentifier } from './migrations/index.js';

/** Of a message in a list, characters. */
const SHOWN = 4_096;
const SETTINGS = {
  date_time_output_format: 'iso',
  output_format_json_quote_64bit_integers: 0,
  output_format_json_escape_forward_slashes: 0,
} as const;
const QUICK = { ...SETTINGS, max_execution_time: 30 } as const;

const columns = (raw: string): string => `id, received_at, agent_spki, agent_host,
  replaceRegexpOne(toString(source_ip), '^::ffff:([0-9.]+)$', '\\\\1') AS source_ip,
  pipeline, stage, code, field, message, ${raw} AS raw, raw_encoding, destination, ingest_batch, replayed_at, event_type`;
const WHOLE = columns('letters.raw');
const CUT = columns(
  `if(lengthUTF8(letters.raw) > ${SHOWN}, concat(substringUTF8(letters.raw, 1, ${SHOWN}), '…'), letters.raw)`,
);

/** The questions about dead letters. */
export class DeadLetterQueries implements DeadLetterStore {
  readonly #table: string;
  readonly #from: string;

  constructor(
    private readonly client: ClickHouseClient,
    private readonly database: string,
  ) {
    this.#table = `${quoteIdentifier(database)}.dead_letters`;
    this.#from = `FROM ${this.#table} AS letters`;
  }

  async list(filter: DeadLetterFilter, limit: number, before?: DeadLetterPosition): Promise<DeadLetter[]> {
    const { text, params } = whereOf(filter, ...beside('<', before));
    return this.#rows<DeadLetter>(
      `SELECT ${CUT} ${this.#from} ${text} ORDER BY received_at DESC, id DESC LIMIT {limit:UInt32}`,
      { ...params, ...positionParams(before), limit },
    );
  }

  async one(id: string): Promise<DeadLetter | undefined> {
    const { text, params } = whereOf({ ids: [id] });
    const [letter] = await this.#rows<DeadLetter>(`SELECT ${WHOLE} ${this.#from} ${text} LIMIT 1`, params);
    return letter;
  }

  async counts(filter: DeadLetterFilter): Promise<DeadLetterCount[]> {
    const { text, params } = whereOf(filter);
    return this.#rows<DeadLetterCount>(
      `SELECT code, stage, count() AS count, countIf(replayed_at IS NOT NULL) AS replayed,
  min(received_at) AS first, max(received_at) AS last
${this.#from} ${text} GROUP BY code, stage ORDER BY count DESC, code, stage`,
      params,
    );
  }

  async size(): Promise<DeadLetterSize> {
    const [size] = await this.#rows<DeadLetterSize>(
      `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE database = {database:String} AND table = 'dead_letters' AND active`,
      { database: this.database },
    );
    return size ?? { rows: 0, bytes: 0 };
  }

  async export(filter: DeadLetterFilter): Promise<Readable> {
    const { text, params } = whereOf(filter);
    const { stream } = await this.client.exec({
      query: `SELECT ${WHOLE} ${this.#from} ${text} ORDER BY toStartOfHour(received_at), received_at, id FORMAT JSONEachRow`,
      query_params: params,
      clickhouse_settings: SETTINGS,
    });
    return stream;
  }

  async pending(
    filter: DeadLetterFilter,
    limit: number,
    maxBytes: number,
    after?: DeadLetterPosition,
  ): Promise<DeadLetter[]> {
    const { text, params } = whereOf({ ...filter, replayed: false }, ...beside('>', after));
    // How many fit is decided by their sizes first, so that no more is read than can be held.
    return this.#rows<DeadLetter>(
      `SELECT ${WHOLE} ${this.#from} WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER w AS place, sum(length(raw)) OVER w AS total
    FROM (SELECT id, received_at, raw ${this.#from} ${text} ORDER BY received_at, id LIMIT {limit:UInt32})
    WINDOW w AS (ORDER BY received_at, id ROWS UNBOUNDED PRECEDING)
  ) WHERE place = 1 OR total <= {maxBytes:UInt64}
) ORDER BY received_at, id`,
      { ...params, ...positionParams(after), limit, maxBytes },
    );
  }

  async markReplayed(ids: readonly string[], at: number): Promise<void> {
    if (ids.length === 0) return;
    await this.client.command({
      query: `ALTER TABLE ${this.#table} UPDATE replayed_at = fromUnixTimestamp64Milli({at:Int64}, 'UTC') WHERE id IN {ids:Array(UUID)}`,
      query_params: { ids, at },
      clickhouse_settings: { mutations_sync: '1' },
    });
  }

  async #rows<Row>(query: string, params: Readonly<Record<string, unknown>>): Promise<Row[]> {
    const result = await this.client.query({
      query,
      query_params: { ...params },
      format: 'JSONEachRow',
      clickhouse_settings: QUICK,
    });
    return result.json<Row>();
  }
}
