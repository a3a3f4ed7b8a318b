import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startTestClickHouse } from '../support/clickhouse.js';
import { PROGRAM, startGateway, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent } from '../support/raw-agent.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const TABLES = ['file_events', 'sharepoint_events', 'copilot_events', 'leef_events', 'dead_letters'];
const COUNT_ALL = `SELECT sum(n) AS n FROM (${TABLES.map((table) => `SELECT count() AS n FROM activity.${table}`).join(' UNION ALL ')})`;

/** Waits for back-pressure and for the moment when no more is received; gives how much was received by then. */
async function standstill(gateway: TestGateway): Promise<number> {
  const pipeline = async (): Promise<GatewayStatus['pipelines'][0]> => (await gateway.status()).pipelines[0]!;
  await pollUntil('back-pressure', async () => (await pipeline()).backPressure);
  let last = -1;
  const received = async (): Promise<number> => (await pipeline()).counts.received;
  return pollUntil(
    'the flood to stand still',
    received,
    (count) => {
      const still = count === last;
      last = count;
      return still;
    },
    30_000,
    1_500,
  );
}

/** Sends events over a connection of its own, as fast as they are taken. */
class Flood {
  written = 0;
  readonly done: Promise<void>;

  constructor(stream: RawAgent, total: number) {
    this.done = this.#send(stream, total);
  }

  async #send(stream: RawAgent, total: number): Promise<void> {
    for (; this.written < total; this.written += 100) {
      await stream.sendBytes(Array.from({ length: 100 }, (_, i) => floodLine(this.written + i)).join(''));
    }
    await stream.end();
  }
}

function floodLine(i: number): string {
  return `${JSON.stringify({ TimeLogged: new Date().toISOString(), ActivityType: 'FileSystem', Host: 'FLOOD', Operation: 'Read', Path: `p${i}`.padEnd(800, 'x'), UserName: 'u' })}\n`;
}

describe('many events', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);

  it('stores 100,000 mixed events of 10 agents, bad ones in the dead letters, to the event', async () => {
    const gateway = await startGateway({ env: { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1' } });
    cleanUp.push(() => gateway.dispose());
    const data = await mkdtemp(join(tmpdir(), 'agents-e2e-'));
    cleanUp.push(() => rm(data, { recursive: true, force: true }));
    const args = ['agent', '--host', '127.0.0.1', '--port', String(await gateway.agentPort())];
    args.push('--token', await gateway.token(), '--agents', '10', '--events', '100000');
    args.push('--bad-ratio', '0.01', '--seed', '3', '--data', data);
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args]);
    expect(stdout.replaceAll(',', '')).toContain('100000');
    await pollUntil(
      'all events in ClickHouse',
      async () => Number((await gateway.sql(COUNT_ALL))[0]!['n']),
      (n) => n >= 100_000,
      60_000,
    );
    const [total] = await gateway.sql(COUNT_ALL);
    expect(Number(total!['n'])).toBe(100_000);
    const [bad] = await gateway.sql(
      'SELECT count() AS n, uniq(agent_spki) AS agents FROM activity.dead_letters',
    );
    expect(Number(bad!['n'])).toBeGreaterThan(700);
    expect(Number(bad!['agents'])).toBe(10);
    const counts = await pollUntil(
      'the counters to add up',
      async () => (await gateway.status()).pipelines[0]!.counts,
      ({ inFlight }) => inFlight === 0,
    );
    expect(counts).toMatchObject({ received: 100_000, dropped: 0 });
    expect(counts.delivered + counts.deadLettered).toBe(100_000);
  }, 180_000);

  it('without a spool pauses agents while ClickHouse hangs, in bounded memory, and loses nothing', async () => {
    const clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    const proxy = await TcpProxy.start(Number(new URL(clickhouse.endpoint.url).port));
    cleanUp.push(() => proxy.close());
    const gateway = await startGateway({
      env: {
        CLICKHOUSE_URL: `http://127.0.0.1:${proxy.port}`,
        ACTIVITYMONITOR_BUFFER_MAX_SIZE: '2000',
        ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
        GATEWAY_SPOOL_ENABLED: 'false',
      },
      waitReady: false,
    });
    cleanUp.push(() => gateway.dispose());
    await pollUntil(
      'the listener',
      async () => (await gateway.status()).listener.state,
      (s) => s === 'listening',
    );
    const agent = await createTestCertificate({ commonName: 'FLOOD' });
    const port = await gateway.agentPort();
    await enrollRaw(port, agent, await gateway.token(), 'FLOOD');
    const stream = await RawAgent.connect(port, agent);

    const total = 60_000;
    const flood = new Flood(stream, total);
    const held = await standstill(gateway);
    // The limit, and at most what one chunk of one connection brings beyond it.
    expect(held).toBeLessThan(2000 + 200);
    expect(flood.written).toBeLessThan(total);

    proxy.open();
    await flood.done;
    await pollUntil(
      'all events',
      async () =>
        Number(
          (
            await clickhouse.rows(
              "SELECT uniqExact(path) AS n FROM activity.file_events WHERE host = 'FLOOD'",
            )
          )[0]!['n'],
        ),
      (n) => n === total,
      60_000,
    );
    expect(Number((await clickhouse.rows('SELECT count() AS n FROM activity.file_events'))[0]!['n'])).toBe(
      total,
    );
  }, 180_000);
});
