import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { startTestClickHouse } from '../support/clickhouse.js';
import { startGateway, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent } from '../support/raw-agent.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** `activitymonitor_buffer_max_size`: all that may be held, as without a spool it is held until it is written. */
const LIMIT = 10_000;
/** Events that one read of a socket can bring beyond it: 128 KiB of lines of more than 800 bytes. */
const CHUNK = 160;
const EACH_FLOOD = 20_000;

describe('an overload', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  let clickhouse: Awaited<ReturnType<typeof startTestClickHouse>>;
  let proxy: TcpProxy;
  let gateway: TestGateway;

  beforeEach(async () => {
    clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    proxy = await TcpProxy.start(Number(new URL(clickhouse.endpoint.url).port));
    cleanUp.push(() => proxy.close());
    gateway = await startGateway({
      env: {
        CLICKHOUSE_URL: `http://127.0.0.1:${proxy.port}`,
        ACTIVITYMONITOR_BUFFER_MAX_SIZE: String(LIMIT),
        ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
        ACTIVITYMONITOR_REACTOR_THREADS: '1',
        GATEWAY_SPOOL_ENABLED: 'false',
      },
      waitReady: false,
    });
    cleanUp.push(() => gateway.dispose());
    await pollUntil(
      'the listener',
      async () => (await gateway.status()).listener,
      ({ state, reactors }) =>
        state === 'listening' && reactors.every((reactor) => reactor.state === 'ready'),
    );
  }, 60_000);
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);

  const pipeline = async (): Promise<GatewayStatus['pipelines'][0]> => (await gateway.status()).pipelines[0]!;

  async function connect(host: string): Promise<RawAgent> {
    const credentials = await createTestCertificate({ commonName: host });
    const port = await gateway.agentPort();
    await enrollRaw(port, credentials, await gateway.token(), host);
    return RawAgent.connect(port, credentials);
  }

  /** Sends all its events as fast as it is let. */
  async function flood(stream: RawAgent, host: string): Promise<void> {
    for (let n = 0; n < EACH_FLOOD; n += 100) {
      await stream.sendBytes(Array.from({ length: 100 }, (_, i) => event(host, n + i)).join(''));
    }
    await stream.end();
  }

  /** What was received when nothing more comes. */
  async function standstill(): Promise<number> {
    await pollUntil('back-pressure', async () => (await pipeline()).backPressure);
    let before = -1;
    return pollUntil(
      'the floods to stand still',
      async () => {
        const last = before;
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        before = (await pipeline()).counts.received;
        return { last, before };
      },
      ({ last, before: now }) => last === now,
    ).then(({ before: now }) => now);
  }

  it('is held by pausing sockets, leaves room to an agent that sends little, and loses nothing', async () => {
    const floods = ['FLOOD-1', 'FLOOD-2'];
    const streams: RawAgent[] = [];
    // One after the other: a new token ends the one before.
    for (const host of floods) streams.push(await connect(host));
    const flooding = Promise.all(streams.map((stream, i) => flood(stream, floods[i]!)));
    const held = await standstill();
    expect(held).toBeLessThan(LIMIT + floods.length * CHUNK);

    // One event after the other, each read by itself: an agent that had to wait for room would stop at the first.
    const modest = await connect('MODEST');
    for (let n = 0; n < 20; n += 1) {
      await modest.sendBytes(event('MODEST', n));
      await pollUntil(`event ${n}`, async () => (await pipeline()).counts.received === held + n + 1);
    }
    expect((await pipeline()).backPressure).toBe(true);

    proxy.open();
    await flooding;
    await modest.end();
    const total = floods.length * EACH_FLOOD + 20;
    const sql = 'SELECT count() AS n, uniqExact(host, path) AS distinct FROM activity.file_events';
    const stored = async (): Promise<number[]> => {
      const [row] = await clickhouse.rows(sql);
      return [Number(row!['n']), Number(row!['distinct'])];
    };
    await pollUntil('all events', stored, ([n]) => n! >= total, 60_000);
    expect(await stored()).toEqual([total, total]);
    const { counts } = await pollUntil(
      'the pipeline to be empty',
      pipeline,
      ({ counts: { inFlight } }) => inFlight === 0,
    );
    expect(counts).toMatchObject({ received: total, delivered: total, dropped: 0 });
    expect((await pipeline()).backPressure).toBe(false);
  }, 180_000);
});

function event(host: string, n: number): string {
  const Path = `${n}`.padEnd(800, 'x');
  const TimeLogged = new Date().toISOString();
  return `${JSON.stringify({ TimeLogged, ActivityType: 'FileSystem', Host: host, Operation: 'Read', Path, UserName: 'u' })}\n`;
}
