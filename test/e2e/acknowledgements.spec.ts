import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AgentProgress,
  ChunkBuilder,
  runAgent,
  type AgentClient,
  type MessageSource,
} from '@activity-gateway/agent';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrollClient } from '../support/enroll-client.js';
import { freePort, startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent } from '../support/raw-agent.js';

const QUICK = { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1' };
const HELLO = { MessageType: 'Hello', Ack: true, AgentHost: 'AGENT' };

function event(host: string, n: number): string {
  const path = `p${String(n).padStart(7, '0')}`;
  const user = { UserName: 'u', TimeLogged: new Date().toISOString() };
  return JSON.stringify({ ActivityType: 'FileSystem', Host: host, Operation: 'Read', Path: path, ...user });
}

/** So many numbered events, at most so many a second. */
function numbered(host: string, count: number, rate: number): MessageSource {
  let next = 0;
  return async (signal) => {
    if (signal.aborted) return undefined;
    const builder = new ChunkBuilder();
    while (next < count && builder.lines < 50) builder.add('file', event(host, next++));
    await sleep(50_000 / rate, signal);
    return builder.take();
  };
}

describe('agents with acknowledgements', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);

  const start = async (...args: Parameters<typeof startGateway>): Promise<TestGateway> => {
    const gateway = await startGateway(...args);
    cleanUp.push(() => gateway.dispose());
    return gateway;
  };

  const enroll = (gateway: TestGateway): Promise<AgentClient> => enrollClient(gateway, cleanUp);

  const stored = async (gateway: TestGateway, host: string): Promise<{ rows: number; distinct: number }> => {
    const query = `SELECT count() AS n, uniqExact(path) AS d FROM activity.file_events WHERE host = '${host}'`;
    const [row] = await gateway.sql(query);
    return { rows: Number(row!['n']), distinct: Number(row!['d']) };
  };

  const run = (
    client: AgentClient,
    host: string,
    total: number,
    rate: number,
    progress: AgentProgress,
  ): Promise<AgentProgress> =>
    runAgent({
      client,
      source: numbered(host, total, rate),
      acks: { agentHost: 'AGENT' },
      backoff: { initialMs: 20, maxMs: 200 },
      maxFailures: 1_000,
      progress,
    });

  const arrived = (gateway: TestGateway, host: string, total: number): Promise<unknown> =>
    pollUntil(
      'all events in ClickHouse',
      () => stored(gateway, host),
      ({ distinct }) => distinct >= total,
      60_000,
    );

  it('acknowledges to the message, soon, and ends after the last Ack', async () => {
    const gateway = await start();
    const agent = await createTestCertificate({ commonName: 'AGENT' });
    await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), 'AGENT');
    const peer = await RawAgent.connect(await gateway.agentPort(), agent);
    await peer.send(HELLO);
    for (let n = 0; n < 200; n += 1) await peer.send(event('EXACT', n));
    await peer.send({ ActivityType: 'NoSuchType' });
    await peer.sendBytes('\n\n');
    await pollUntil(
      'the Ack',
      () => peer.received,
      (text) => text.endsWith('"Messages":201}\n'),
      2_000,
    );
    await peer.send(event('EXACT', 200));
    await peer.end();
    expect(peer.received.trimEnd().split('\n').at(-1)).toBe('{"MessageType":"Ack","Messages":202}');
    expect(peer.error).toBeUndefined();
    // Until here nothing was written: the interval was ten seconds.
    await gateway.rest('PUT', '/api/v1/settings/activitymonitor_batch_interval_seconds', { value: 1 });
    await arrived(gateway, 'EXACT', 201);
    expect(await stored(gateway, 'EXACT')).toEqual({ rows: 201, distinct: 201 });
  }, 60_000);

  it('stores each event once while reactors are killed and agents move from one to the other', async () => {
    const gateway = await start({ env: { ...QUICK, ACTIVITYMONITOR_REACTOR_THREADS: '2' } });
    const total = 10_000;
    const clients = [await enroll(gateway), await enroll(gateway), await enroll(gateway)];
    const progress = clients.map(() => new AgentProgress());
    const running = clients.map((client, i) => run(client, `KILLED${i}`, total, 1_000, progress[i]!));
    let acknowledged = 0;
    for (let kill = 0; kill < 6; kill += 1) {
      await pollUntil(
        'more Acks',
        () => Math.min(...progress.map((each) => each.acknowledged)),
        (least) => least > acknowledged + 500 || least >= total,
      );
      acknowledged = Math.min(...progress.map((each) => each.acknowledged));
      const { reactors } = (await gateway.status()).listener;
      const ready = reactors.filter(({ state }) => state === 'ready');
      process.kill(ready[kill % ready.length]!.pid, 'SIGKILL');
    }
    await Promise.all(running);
    for (const [i, each] of progress.entries()) {
      expect(each).toMatchObject({ sent: total, acknowledged: total, unconfirmed: 0, maybeTwice: 0 });
      await arrived(gateway, `KILLED${i}`, total);
      expect(await stored(gateway, `KILLED${i}`)).toEqual({ rows: total, distinct: total });
    }
    expect(Math.max(...progress.map(({ reconnects }) => reconnects))).toBeGreaterThan(1);
    expect(Math.max(...progress.map(({ resent }) => resent))).toBeGreaterThan(0);
  }, 180_000);

  it('loses nothing without a spool either; what was acknowledged is in ClickHouse at that moment', async () => {
    const env = { ...QUICK, ACTIVITYMONITOR_REACTOR_THREADS: '1', GATEWAY_SPOOL_ENABLED: 'false' };
    const gateway = await start({ env });
    const progress = new AgentProgress();
    const total = 12_000;
    const running = run(await enroll(gateway), 'MEMORY', total, 2_000, progress);
    let killed: number | undefined;
    for (let kill = 0; kill < 2; kill += 1) {
      const before = progress.acknowledged;
      const reactor = await pollUntil(
        'another reactor and more Acks',
        async () => (await gateway.status()).listener.reactors[0]!,
        ({ pid, state }) => state === 'ready' && pid !== killed && progress.acknowledged > before,
      );
      killed = reactor.pid;
      process.kill(killed, 'SIGKILL');
      const { acknowledged } = progress;
      expect((await stored(gateway, 'MEMORY')).distinct).toBeGreaterThanOrEqual(acknowledged);
    }
    await running;
    const { rows, distinct } = await stored(gateway, 'MEMORY');
    expect(distinct).toBe(total);
    expect(progress).toMatchObject({ acknowledged: total, unconfirmed: 0 });
    expect(rows - distinct).toBeLessThanOrEqual(progress.maybeTwice);
  }, 120_000);

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'stores each event once over a gateway that ends with %s and is started again',
    async (signal) => {
      const port = await freePort();
      const dataDir = await mkdtemp(join(tmpdir(), 'gateway-e2e-'));
      const env = { ...QUICK, ACTIVITYMONITOR_TCP_PORT: String(port) };
      const total = 6_000;
      const progress = new AgentProgress();
      let gateway = await start({ dataDir, env });
      const running = run(await enroll(gateway), 'ENDED', total, 1_500, progress);
      for (let round = 1; round <= 2; round += 1) {
        await pollUntil('a part to be acknowledged', () => progress.acknowledged > round * 1_000);
        gateway.kill(signal);
        await gateway.exited;
        gateway = await start({ dataDir, env: { ...env, ACTIVITYMONITOR_REACTOR_THREADS: String(round) } });
      }
      await running;
      expect(progress.reconnects).toBeGreaterThan(1);
      await arrived(gateway, 'ENDED', total);
      expect(await stored(gateway, 'ENDED')).toEqual({ rows: total, distinct: total });
    },
    180_000,
  );
});
