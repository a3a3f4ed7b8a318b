import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AnswerProxy, type Answering, pass } from '../../../../test/support/answer-proxy.js';
import {
  clickHouseDefaults,
  silentLogger,
  startTestClickHouse,
  type TestClickHouse,
  untilStatus,
  shippedEventTypes,
} from '../../../../test/support/clickhouse.js';
import { createClickHouseService } from './clickhouse.service.js';
import { createControlClient } from './client.js';
import type { ClickHouseService } from './types.js';

const PAGE = '<html>\n<b>Scheduled maintenance</b>\n</html>\n';
const page: Answering = ({ response }) =>
  void response.writeHead(200, { 'content-type': 'text/html', server: 'nginx' }).end(PAGE);

let clickhouse: TestClickHouse;
let proxy: AnswerProxy;
const services: ClickHouseService[] = [];
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  proxy = await AnswerProxy.start(clickhouse.endpoint.url);
}, 60_000);
afterEach(() => Promise.all(services.splice(0).map((service) => service.stop())));
afterAll(async () => {
  await proxy.close();
  await clickhouse.stop();
});

function create(database: string): ClickHouseService {
  const service = createClickHouseService({
    eventTypes: shippedEventTypes,
    config: { ...clickHouseDefaults, url: proxy.url, database },
    dataDir: '/nowhere',
    logger: silentLogger,
  });
  services.push(service);
  service.start();
  return service;
}

const tables = async (database: string): Promise<number> =>
  (await clickhouse.rows(`SELECT 1 FROM system.tables WHERE database = '${database}'`)).length;

describe('a page in place of ClickHouse, with status 200', () => {
  it('is no ClickHouse that is ready: it is asked again, and migrated when it answers', async () => {
    proxy.choose = () => page;
    const service = create('paged');
    const { reason } = await untilStatus(service, ({ state }) => state === 'failed');
    expect(reason).toContain('The answer is not one of ClickHouse (content-type text/html, server nginx).');
    expect(await tables('paged')).toBe(0);
    proxy.choose = () => undefined;
    await untilStatus(service, ({ state }) => state === 'ok');
    expect(await tables('paged')).toBeGreaterThan(4);
  });

  it.each([
    ['each second request', (count: number) => count % 2 === 0],
    ['each third request', (count: number) => count % 3 === 0],
  ])('of %s: no statement of a migration counts as run that was not', async (_, isPaged) => {
    const database = `every_${isPaged(2)}`;
    let count = 0;
    proxy.choose = () => {
      count += 1;
      return count < 9 && isPaged(count) ? page : pass;
    };
    const service = create(database);
    await untilStatus(service, ({ state }) => state === 'ok');
    const wanted = await clickhouse.rows(
      "SELECT table, name, type FROM system.columns WHERE database = 'activity' ORDER BY table, name",
    );
    const found = await clickhouse.rows(
      `SELECT table, name, type FROM system.columns WHERE database = '${database}' ORDER BY table, name`,
    );
    expect(found).toEqual(wanted);
  });

  it('is neither an empty list nor a statement that was run', async () => {
    proxy.choose = () => page;
    const client = createControlClient({ ...clickhouse.endpoint, url: proxy.url });
    const message = 'The answer is not one of ClickHouse';
    await expect(client.query({ query: 'SELECT 1', format: 'JSONEachRow' })).rejects.toThrow(message);
    await expect(client.command({ query: 'CREATE DATABASE paged_too' })).rejects.toThrow(message);
    await expect(client.exec({ query: 'SELECT 1 FORMAT JSONEachRow' })).rejects.toThrow(message);
    const insert = { table: 'activity.schema_migrations', format: 'JSONEachRow' } as const;
    await expect(client.insert({ ...insert, values: [{ version: 1 }] })).rejects.toThrow(message);
    expect(await client.insert({ ...insert, values: [] })).toMatchObject({ executed: false });
    await client.close();
  });
});
