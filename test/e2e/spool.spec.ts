import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { startTestClickHouse } from '../support/clickhouse.js';
import { PROGRAM, startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { childrenOf, commandOf } from '../support/processes.js';
import { enrollRaw, RawAgent } from '../support/raw-agent.js';
import { TcpProxy } from '../support/tcp-proxy.js';

interface StatusView {
  readonly listener: { readonly state: string; readonly reactors: readonly { readonly state: string }[] };
  readonly pipelines: readonly { readonly queue: QueueView; readonly counts: Record<string, number> }[];
}

interface QueueView {
  readonly rows: number;
  readonly spool: { readonly entries: number; readonly full: number; readonly adopted: number };
}

describe('the spool of a gateway', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  let clickhouse: Awaited<ReturnType<typeof startTestClickHouse>>;
  let proxy: TcpProxy;
  let dataDir: string;

  beforeEach(async () => {
    clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    proxy = await TcpProxy.start(Number(new URL(clickhouse.endpoint.url).port));
    cleanUp.push(() => proxy.close());
    dataDir = await mkdtemp(join(tmpdir(), 'gateway-spool-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
  }, 60_000);
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);

  /** Starts a gateway whose ClickHouse hangs until the proxy is opened. */
  async function start(env: NodeJS.ProcessEnv = {}): Promise<TestGateway> {
    const gateway = await startGateway({
      dataDir,
      env: {
        CLICKHOUSE_URL: `http://127.0.0.1:${proxy.port}`,
        ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
        ...env,
      },
      waitReady: false,
    });
    cleanUp.push(() => gateway.dispose());
    await pollUntil(
      'the reactors',
      async () => (await status(gateway)).listener,
      ({ state, reactors }) =>
        state === 'listening' && reactors.every((reactor) => reactor.state === 'ready'),
    );
    return gateway;
  }

  async function send(gateway: TestGateway, host: string, count: number): Promise<RawAgent> {
    const agent = await createTestCertificate({ commonName: host });
    const port = await gateway.agentPort();
    await enrollRaw(port, agent, await gateway.token(), host);
    const stream = await RawAgent.connect(port, agent);
    for (let from = 0; from < count; from += 100) {
      const lines = Array.from({ length: Math.min(100, count - from) }, (_, i) => event(host, from + i));
      await stream.sendBytes(lines.join(''));
    }
    return stream;
  }

  const status = (gateway: TestGateway): Promise<StatusView> =>
    gateway.status() as unknown as Promise<StatusView>;

  const queue = async (gateway: TestGateway): Promise<QueueView> =>
    (await status(gateway)).pipelines[0]!.queue;

  const spooled = (gateway: TestGateway, rows: number): Promise<QueueView> =>
    pollUntil(
      `${rows} events in the spool`,
      () => queue(gateway),
      (view) => view.rows === rows,
      30_000,
    );

  async function expectStored(count: number): Promise<void> {
    const sql = 'SELECT count() AS n, uniqExact(host, path) AS distinct FROM activity.file_events';
    const ask = async (): Promise<number[]> => {
      const [row] = await clickhouse.rows(sql);
      return [Number(row!['n']), Number(row!['distinct'])];
    };
    await pollUntil('all events in ClickHouse', ask, ([n]) => n! >= count, 60_000);
    expect(await ask()).toEqual([count, count]);
  }

  it('holds what agents sent while ClickHouse was away, though the gateway was killed', async () => {
    const first = await start();
    await send(first, 'FS-1', 5_000);
    await spooled(first, 5_000);
    const { stdout } = await promisify(execFile)(process.execPath, [
      PROGRAM,
      'spool',
      'inspect',
      '--data-dir',
      dataDir,
    ]);
    expect(stdout).toMatch(/clickhouse, file_events +\d+ +5,000 /);
    first.kill('SIGKILL');
    await first.exited;

    const second = await start();
    await send(second, 'FS-2', 1_000);
    await spooled(second, 6_000);
    proxy.open();
    await expectStored(6_000);
    await pollUntil(
      'an empty spool',
      () => queue(second),
      ({ spool }) => spool.entries === 0,
    );
    const { counts } = (await status(second)).pipelines[0]!;
    expect(counts).toMatchObject({
      received: 1_000,
      delivered: 1_000,
      recovered: 5_000,
      inFlight: 0,
      dropped: 0,
    });
    expect(await second.stop()).toBe(0);
  }, 120_000);

  it('keeps at an orderly stop what is not written in time, and writes it, also that of a stopped reactor', async () => {
    // One reactor: which of several is handed the agent is chance.
    const drain = { ACTIVITYMONITOR_REACTOR_THREADS: '1' };
    const first = await start(drain);
    const agent = await send(first, 'FS-1', 700);
    await spooled(first, 700);
    const processes = [first.pid, ...childrenOf(first.pid)];
    const began = Date.now();
    // Long before the drain timeout of 300 s: ClickHouse hangs, and nothing is lost by not waiting for it.
    expect(await first.stop()).toBe(0);
    expect(processes.filter((pid) => commandOf(pid) !== '')).toEqual([]);
    expect(Date.now() - began).toBeLessThan(15_000);
    await agent.whenClosed();
    expect(logged(first, 'Events wait in the spool for the next start')).toMatchObject({ events: 700 });
    const spools = join(dataDir, 'spool', 'activity');
    await rename(join(spools, '0'), join(spools, '5'));

    const second = await start(drain);
    await send(second, 'FS-2', 300);
    await spooled(second, 1_000);
    expect((await readdir(spools)).sort()).toEqual(['0', '5']);
    proxy.open();
    await expectStored(1_000);
    await pollUntil(
      'the adopted spool to be removed',
      () => readdir(spools),
      (slots) => slots.length === 1,
    );
    expect(await second.stop()).toBe(0);
  }, 120_000);

  it('stops soon beside a table that must not be written to, and writes when that is replaced', async () => {
    await clickhouse.run('RENAME TABLE activity.file_events TO activity.file_events_kept');
    await clickhouse.run('CREATE TABLE activity.file_events AS activity.file_events_kept ENGINE = Null');
    proxy.open();
    const first = await start();
    await send(first, 'FS-1', 300);
    await spooled(first, 300);
    const states = async (): Promise<string> =>
      (await fetch(`${first.httpUrl}/health/ready`)).json().then((body) => JSON.stringify(body));
    await pollUntil('the refusal', states, (text) => text.includes('has the engine Null'));
    const processes = [first.pid, ...childrenOf(first.pid)];
    const began = Date.now();
    expect(await first.stop()).toBe(0);
    expect(processes.filter((pid) => commandOf(pid) !== '')).toEqual([]);
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(logged(first, 'Events wait in the spool for the next start')).toMatchObject({ events: 300 });
    await clickhouse.run('DROP TABLE activity.file_events SYNC');
    await clickhouse.run('RENAME TABLE activity.file_events_kept TO activity.file_events');
    const second = await start();
    await expectStored(300);
    expect(await second.stop()).toBe(0);
  }, 120_000);

  it('holds agents back when it is full, and loses nothing', async () => {
    const gateway = await start({
      GATEWAY_SPOOL_MAX_BYTES: '64MiB',
      ACTIVITYMONITOR_BUFFER_MAX_SIZE: '2000',
    });
    const total = 90_000;
    const sent = send(gateway, 'FS-1', total);
    await pollUntil(
      'a full spool',
      () => queue(gateway),
      ({ spool }) => spool.full === 1,
      60_000,
    );
    const ready = (await (await fetch(`${gateway.httpUrl}/health/ready`)).json()) as {
      components: { pipelines: { reason: string } };
    };
    expect(ready.components.pipelines.reason).toContain('The spool is full');
    proxy.open();
    await (await sent).end();
    await expectStored(total);
  }, 180_000);
});

function logged(gateway: TestGateway, message: string): unknown {
  const line = gateway
    .log()
    .split('\n')
    .find((each) => each.includes(message));
  return JSON.parse(line ?? '{}');
}

function event(host: string, n: number): string {
  const path = `${n}`.padEnd(800, 'x');
  const TimeLogged = new Date().toISOString();
  return `${JSON.stringify({ TimeLogged, ActivityType: 'FileSystem', Host: host, Operation: 'Read', Path: path, UserName: 'u' })}\n`;
}
