import { defineEventType, deadLetters } from '@activity-gateway/pipeline/api';
import { type ContractDestination, createTestContext } from '@activity-gateway/pipeline/testing';
import { startTestClickHouse } from './clickhouse.js';

const type = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, name: { kind: 'text' }, size: { kind: 'uint64' } },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), name String, size UInt64, received_at DateTime64(3, 'UTC'),
  agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;
/** Several partitions, so that an insert is more than one part. */
const PARTITIONS = 'PARTITION BY toUnixTimestamp64Milli(event_time) % 2 ORDER BY event_time';

/** A real ClickHouse for the contract of the sink: a table that refuses rows by a constraint. */
export async function openClickHouseDestination(): Promise<ContractDestination> {
  const clickhouse = await startTestClickHouse();
  const { url } = clickhouse.endpoint;
  return {
    type,
    key: 'name',
    port: Number(new URL(url).port),
    context(port) {
      const context = createTestContext({ id: 'contract/clickhouse', eventTypes: [type, deadLetters] });
      const endpoint = { ...clickhouse.endpoint, url: `http://127.0.0.1:${port}` };
      context.services.endpoints.set(new Map([['clickhouse', endpoint]]));
      return context;
    },
    async prepare(refused) {
      await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
      const names = refused.map((name) => `'${name}'`).join(', ');
      const constraint = refused.length === 0 ? '' : `, CONSTRAINT refused CHECK name NOT IN (${names})`;
      await clickhouse.run(
        `CREATE TABLE things (${COLUMNS}${constraint}) ENGINE = MergeTree ${PARTITIONS} SETTINGS non_replicated_deduplication_window = 1000`,
      );
    },
    stored: async () =>
      (await clickhouse.rows<{ name: string }>('SELECT name FROM things')).map(({ name }) => name),
    close: () => clickhouse.stop(),
  };
}
