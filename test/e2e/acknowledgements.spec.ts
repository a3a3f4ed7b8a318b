import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AgentClient,
  AgentProgress,
  ChunkBuilder,
  loadOrCreateIdentity,
  parseToken,
  runAgent,
  type MessageSource,
} from '@app/agent';
import { sleep } from '@app/pipeline/helpers';
import { createTestCertificate } from '@app/pipeline/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

  const enroll = async (gateway: TestGateway): Promise<AgentClient> => {
    const dir = await mkdtemp(join(tmpdir(), 'acks-e2e-'));
    cleanUp.push(() => rm(dir, { recursive: true, force: true }));
    const identity = await loadOrCreateIdentity(dir, 'AGENT');
    const { code, serverSpki } = parseToken(await gateway.token());
    const port = await gateway.agentPort();
    const client = new AgentClient({ host: '127.0.0.1', port, identity, serverSpki });
    expect(await client.enroll({ code, agentHost: 'AGENT' })).toEqual({ status: 'Enrolled' });
    return client;
  };

  const stored = async (gateway: TestGateway, host: string): Promise<{ rows: number; distinct: number }> => {
    const query = `SELECT count() AS n, uniqExact(path) AS d FROM activity.file_events WHERE host = '${host}'`;
    const [row] = await gateway.sql(query);
    return { rows: Number(row!['n']), distinct: Number(row!['d']) };
  };

  const reactorPid = async (gateway: TestGateway, not?: number): Promise<number> => {
    const reactor = await pollUntil(
      'a reactor',
      async () => (await gateway.status()).listener.reactors[0] as { pid: number; state: string },
      ({ pid, state }) => state === 'ready' && pid !== not,
    );
    return reactor.pid;
  };

  it('acknowledges what is in ClickHouse, to the message, and ends after the last Ack', async () => {
    const gateway = await start({ env: QUICK });
    const agent = await createTestCertificate({ commonName: 'AGENT' });
    await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), 'AGENT');
    const peer = await RawAgent.connect(await gateway.agentPort(), agent);
    await peer.send(HELLO);
    for (let n = 0; n < 200; n += 1) await peer.send(event('EXACT', n));
    await peer.send({ ActivityType: 'NoSuchType' });
    await peer.sendBytes('\n\n');
    await pollUntil('the Ack', () => peer.received.endsWith('"Messages":201}\n'));
    expect(await stored(gateway, 'EXACT')).toEqual({ rows: 200, distinct: 200 });
    await peer.send(event('EXACT', 200));
    await peer.end();
    expect(peer.received.trimEnd().split('\n').at(-1)).toBe('{"MessageType":"Ack","Messages":202}');
    expect(peer.error).toBeUndefined();
    expect((await stored(gateway, 'EXACT')).rows).toBe(201);
  }, 60_000);

  it('loses nothing while its reactor is killed again and again; what was acknowledged is stored at that moment', async () => {
    const gateway = await start({ env: { ...QUICK, ACTIVITYMONITOR_REACTOR_THREADS: '1' } });
    const client = await enroll(gateway);
    const progress = new AgentProgress();
    const total = 24_000;
    const running = runAgent({
      client,
      source: numbered('KILLED', total, 3_000),
      acks: { agentHost: 'AGENT' },
      backoff: { initialMs: 20, maxMs: 200 },
      maxFailures: 1_000,
      progress,
    });
    let pid: number | undefined;
    for (let kill = 0; kill < 3; kill += 1) {
      const before = progress.acknowledged;
      pid = await reactorPid(gateway, pid);
      await pollUntil('more Acks', () => progress.acknowledged > before);
      process.kill(pid, 'SIGKILL');
      const { acknowledged } = progress;
      expect((await stored(gateway, 'KILLED')).distinct).toBeGreaterThanOrEqual(acknowledged);
    }
    await running;
    const { rows, distinct } = await stored(gateway, 'KILLED');
    expect(distinct).toBe(total);
    expect(progress).toMatchObject({ sent: total, acknowledged: total, unconfirmed: 0 });
    expect(progress.resent).toBeGreaterThan(0);
    expect(rows - distinct).toBeLessThanOrEqual(progress.maybeTwice);
  }, 120_000);

  it('stores nothing twice when the gateway is stopped and started in order', async () => {
    const port = await freePort();
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-e2e-'));
    const env = { ACTIVITYMONITOR_TCP_PORT: String(port) };
    const first = await start({ dataDir, env });
    const client = await enroll(first);
    const progress = new AgentProgress();
    const total = 6_000;
    const running = runAgent({
      client,
      source: numbered('ORDERLY', total, 1_500),
      acks: { agentHost: 'AGENT' },
      backoff: { initialMs: 20, maxMs: 200 },
      maxFailures: 1_000,
      progress,
    });
    await pollUntil('a part to be sent', () => progress.sent > 1_000);
    const began = Date.now();
    expect(await first.stop()).toBe(0);
    // The default interval is 10 s: a stopping gateway must write at once, else agents wait for their Acks in vain.
    expect(Date.now() - began).toBeLessThan(8_000);
    expect(progress.acknowledged).toBeGreaterThan(0);
    const second = await start({ dataDir, env: { ...env, ...QUICK } });
    await running;
    expect(progress.reconnects).toBeGreaterThan(0);
    expect(await stored(second, 'ORDERLY')).toEqual({ rows: total, distinct: total });
  }, 120_000);
});
