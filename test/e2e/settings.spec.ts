import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import {
  flagSettings,
  numberSettings,
  type SettingName,
} from '../../apps/ingest-gateway/src/settings/definitions.js';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { freePort, startGateway, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { InsertGate } from '../support/insert-gate.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

/** What "at once" allows: a second to act. */
const AT_ONCE_MS = 1_000;
/** Reactors report once a second, so that what is seen through them can be a second old. */
const SEEN_MS = AT_ONCE_MS + 1_500;
const FLAG = '/api/v1/feature-flags/enable_activitymonitor_ingestion';

type Pipeline = GatewayStatus['pipelines'][number];

const defaults: Readonly<Record<string, { readonly default: unknown } | undefined>> = numberSettings;

describe('every setting of the reference acts on a running gateway', () => {
  let clickhouse: TestClickHouse;
  let gate: InsertGate;
  let gateway: TestGateway;
  let agent: AgentCredentials;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    clickhouse = await startTestClickHouse();
    gate = await InsertGate.start(clickhouse.endpoint.url);
    // Without a spool, what is held back waits in memory, where its limits and the time to write it out can be seen.
    // With two reactors, limits are seen to hold over all of them.
    gateway = await startGateway({
      env: {
        CLICKHOUSE_URL: gate.url,
        GATEWAY_SPOOL_ENABLED: 'false',
        ACTIVITYMONITOR_REACTOR_THREADS: '2',
        GATEWAY_MAX_CONNECTIONS_PER_KEY: '1000',
      },
    });
    agent = await createTestCertificate({ commonName: 'AGENT' });
    await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), 'AGENT');
  }, 60_000);
  afterEach(() => gate.release());
  afterAll(async () => {
    sockets.forEach((socket) => socket.destroy());
    gate?.release();
    await gateway?.dispose();
    await gate?.close();
    await clickhouse?.stop();
  }, 60_000);

  const status = async (): Promise<GatewayStatus> => gateway.status();
  const path = (key: SettingName): string => `/api/v1/settings/${key}`;
  const set = async (key: SettingName, value: number): Promise<void> => {
    const answer = await gateway.rest('PUT', path(key), { value });
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({ key, value, source: 'store', overridden: value !== defaults[key]?.default }),
    ]);
    expect((await status()).settings[key]).toBe(value);
  };
  const reset = async (...keys: SettingName[]): Promise<void> => {
    for (const key of keys) expect((await gateway.rest('DELETE', path(key))).status).toBe(200);
  };
  const pipeline = async (): Promise<Pipeline> => (await status()).pipelines[0]!;
  const queueRows = async (): Promise<number> => (await pipeline()).queue.rows;
  const stored = async (host: string): Promise<number> =>
    Number(
      (await clickhouse.rows(`SELECT count() AS n FROM activity.file_events WHERE host = '${host}'`))[0]![
        'n'
      ],
    );
  const stream = async (): Promise<RawAgent> => RawAgent.connect(await gateway.agentPort(), agent);
  const event = (host: string, index = 0): string =>
    `${JSON.stringify({
      TimeLogged: new Date().toISOString(),
      ActivityType: 'FileSystem',
      Host: host,
      Operation: 'Read',
      Path: `p${index}`,
      UserName: 'u',
    })}\n`;
  /** Sends events over a connection of its own and leaves it open. */
  const send = async (host: string, count: number): Promise<RawAgent> => {
    const open = await stream();
    await open.sendBytes(Array.from({ length: count }, (_, index) => event(host, index)).join(''));
    return open;
  };
  const dial = async (port: number): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const refused = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(false)));
      socket.on('error', () => resolve(true));
    });
  const closesAtOnce = (peer: RawAgent): Promise<unknown> =>
    pollUntil('the connection to be closed', () => peer.closed, Boolean, AT_ONCE_MS);
  /** From here on events wait for a minute, unless a test says otherwise. */
  const holdBack = (): Promise<void> => set('activitymonitor_batch_interval_seconds', 60);
  /** Has everything written, and waits until so many events of a host are there and none waits. */
  const written = async (host: string, count: number): Promise<void> => {
    await reset('activitymonitor_clickhouse_batch_size', 'activitymonitor_batch_size');
    await set('activitymonitor_batch_interval_seconds', 1);
    await pollUntil(
      `${count} events of ${host}`,
      () => stored(host),
      (rows) => rows === count,
    );
    await pollUntil('none to wait', queueRows, (rows) => rows === 0);
  };

  const proofs: Record<SettingName, () => Promise<void>> = {
    activitymonitor_tcp_port: async () => {
      const before = await gateway.agentPort();
      const open = await stream();
      await open.sendBytes(event('PORT'));
      const taken = createServer().listen(0, '0.0.0.0');
      await once(taken, 'listening');
      const { port: takenPort } = taken.address() as { port: number };
      const conflict = await gateway.rest('PUT', path('activitymonitor_tcp_port'), { value: takenPort });
      expect(conflict.status).toBe(409);
      expect(conflict.body).toMatchObject({
        code: 'LISTENER_BIND_FAILED',
        detail: expect.stringContaining(String(takenPort)),
      });
      const { listener, settings } = await status();
      expect(listener).toMatchObject({ port: before, state: 'listening', refusedPort: { port: takenPort } });
      expect(settings['activitymonitor_tcp_port']).toBe(0);
      expect(await refused(before)).toBe(false);
      taken.close();

      const port = await freePort();
      await set('activitymonitor_tcp_port', port);
      expect(await refused(before)).toBe(true);
      const next = await RawAgent.connect(port, agent);
      expect((await status()).listener).toMatchObject({ port, state: 'listening' });
      expect((await status()).listener.refusedPort).toBeUndefined();
      expect(open.closed).toBe(false);
      await Promise.all([open.end(), next.end()]);
    },

    activitymonitor_max_connections: async () => {
      const port = await gateway.agentPort();
      const listener = async (): Promise<GatewayStatus['listener']> => (await status()).listener;
      await set('activitymonitor_enrollment_first_message_timeout_seconds', 5);
      await pollUntil('no connection', listener, ({ connections }) => connections === 0);
      await set('activitymonitor_max_connections', 10);
      // Those of unknown peers do not count.
      const unknown = await dial(port);
      const open: RawAgent[] = [];
      for (let index = 0; index < 10; index += 1) open.push(await stream());
      await pollUntil('ten connections', listener, ({ connections }) => connections === 10);
      const { rejected } = await listener();
      const tooMany = await dial(port);
      await pollUntil('the eleventh to be closed', () => tooMany.destroyed, Boolean, AT_ONCE_MS);
      expect((await listener()).rejected.limit).toBe(rejected.limit + 1);
      await set('activitymonitor_max_connections', 11);
      open.push(await stream());
      await pollUntil('eleven connections', listener, ({ connections }) => connections === 11);
      unknown.destroy();
      open.forEach(({ socket }) => socket.destroy());
      await pollUntil('no connection', listener, ({ connections }) => connections === 0);
    },

    activitymonitor_connection_timeout: async () => {
      const since = Date.now();
      const idle = await send('IDLE', 1);
      await pollUntil('five seconds of silence', () => Date.now() - since > 5_300);
      expect(idle.closed).toBe(false);
      await set('activitymonitor_connection_timeout', 5);
      await closesAtOnce(idle);
      const next = await send('IDLE', 1);
      const began = Date.now();
      await next.whenClosed();
      expect(Date.now() - began).toBeGreaterThan(4_000);
      expect(Date.now() - began).toBeLessThan(7_000);
    },

    activitymonitor_enrollment_first_message_timeout_seconds: async () => {
      await set('activitymonitor_enrollment_first_message_timeout_seconds', 60);
      const since = Date.now();
      const silent = await stream();
      await pollUntil('five seconds of silence', () => Date.now() - since > 5_300);
      expect(silent.closed).toBe(false);
      await set('activitymonitor_enrollment_first_message_timeout_seconds', 5);
      await closesAtOnce(silent);
      const began = Date.now();
      const next = await stream();
      await next.whenClosed();
      expect(Date.now() - began).toBeGreaterThan(4_000);
      expect(Date.now() - began).toBeLessThan(7_000);
    },

    activitymonitor_enrollment_ban_duration_seconds: async () => {
      const bans = '/api/v1/nam-listener/bans';
      for (const [seconds, localAddress] of [
        [300, '127.0.0.9'],
        [5, '127.0.0.10'],
      ] as const) {
        await set('activitymonitor_enrollment_ban_duration_seconds', seconds);
        const dialed = async (as?: AgentCredentials): Promise<RawAgent> =>
          RawAgent.connect(await gateway.agentPort(), as, { localAddress });
        const peer = await dialed().catch(() => undefined);
        await peer?.whenClosed();
        const [ban] = (await pollUntil(
          'the ban',
          async () => (await gateway.rest('GET', bans)).body as { ip: string; until: string }[],
          (list) => list.length === 1,
        )) as [{ ip: string; until: string }];
        const left = Date.parse(ban.until) - Date.now();
        expect(left).toBeGreaterThan(seconds * 1_000 - 3_000);
        expect(left).toBeLessThanOrEqual(seconds * 1_000);
        await expect(dialed(agent)).rejects.toThrow();
        expect((await gateway.rest('DELETE', `${bans}/::ffff:${ban.ip}`)).status).toBe(204);
        await (await dialed(agent)).end();
      }
    },

    activitymonitor_max_message_size: async () => {
      const open = await send('SIZE', 1);
      await open.sendBytes('x'.repeat(60_000));
      await set('activitymonitor_max_message_size', 65_536);
      await open.sendBytes('x'.repeat(10_000)).catch(() => undefined);
      await closesAtOnce(open);
      const next = await send('SIZE', 1);
      await next.sendBytes('x'.repeat(70_000)).catch(() => undefined);
      await closesAtOnce(next);
      await reset('activitymonitor_max_message_size');
      const large = await send('SIZE', 1);
      await large.send(`${event('SIZE').trim().slice(0, -1)},"More":"${'x'.repeat(200_000)}"}`);
      await large.end();
    },

    activitymonitor_batch_interval_seconds: async () => {
      await written('SIZE', 4);
      await holdBack();
      const open = await send('INTERVAL', 5);
      await pollUntil('the events to wait', queueRows, (rows) => rows === 5);
      expect(await stored('INTERVAL')).toBe(0);
      await set('activitymonitor_batch_interval_seconds', 1);
      await pollUntil(
        'the events',
        () => stored('INTERVAL'),
        (rows) => rows === 5,
        SEEN_MS,
      );
      await open.end();
    },

    activitymonitor_batch_size: async () => {
      for (const [size, atLeast, atMost] of [
        [10, 40, 500],
        [1_000, 1, 30],
      ] as const) {
        const host = `BATCHES-${size}`;
        await holdBack();
        await set('activitymonitor_batch_size', size);
        const open = await send(host, 400);
        await pollUntil('the events to wait', queueRows, (rows) => rows === 400);
        const { entries } = (await pipeline()).queue;
        expect(entries).toBeGreaterThanOrEqual(atLeast);
        expect(entries).toBeLessThanOrEqual(atMost);
        await open.end();
        await written(host, 400);
      }
    },

    activitymonitor_clickhouse_batch_size: async () => {
      await holdBack();
      await set('activitymonitor_clickhouse_batch_size', 100_000);
      const open = await send('ROWS', 2_500);
      await pollUntil('the events to wait', queueRows, (rows) => rows === 2_500);
      expect(await stored('ROWS')).toBe(0);
      await set('activitymonitor_clickhouse_batch_size', 1_000);
      await pollUntil(
        'two full writes',
        () => stored('ROWS'),
        (rows) => rows >= 1_800,
        SEEN_MS,
      );
      expect(await stored('ROWS')).toBeLessThan(2_500);
      await open.end();
      await written('ROWS', 2_500);
    },

    activitymonitor_buffer_max_size: async () => {
      await holdBack();
      gate.hold();
      await set('activitymonitor_buffer_max_size', 1_000);
      const sending = send('BUFFER', 4_000);
      const counts = async (): Promise<Pipeline['counts']> => (await pipeline()).counts;
      await pollUntil('agents to be slowed down', pipeline, ({ backPressure }) => backPressure === true);
      expect((await counts()).inFlight).toBeLessThan(2_500);
      await set('activitymonitor_buffer_max_size', 10_000);
      await pollUntil('room for all', counts, ({ inFlight }) => inFlight === 4_000, SEEN_MS);
      gate.release();
      await (await sending).end();
      await written('BUFFER', 4_000);
    },

    activitymonitor_buffer_threads: async () => {
      await holdBack();
      gate.hold();
      await set('activitymonitor_buffer_threads', 1);
      await set('activitymonitor_clickhouse_batch_size', 1_000);
      const open = await send('WRITERS', 4_500);
      await pollUntil('the events to be read', queueRows, (rows) => rows === 4_500);
      expect(gate.held).toBe(1);
      await set('activitymonitor_buffer_threads', 3);
      await pollUntil(
        'three writes at a time',
        () => gate.held,
        (held) => held === 3,
        AT_ONCE_MS,
      );
      gate.release();
      await open.end();
      await written('WRITERS', 4_500);
    },

    // How many processing batches wait for the queue at a time is nothing that can be seen from outside.
    activitymonitor_max_concurrent_jobs: async () => {
      await holdBack();
      for (const jobs of [1, 10]) {
        await set('activitymonitor_max_concurrent_jobs', jobs);
        await (await send(`JOBS-${jobs}`, 500)).end();
        await written(`JOBS-${jobs}`, 500);
      }
    },

    activitymonitor_reactor_threads: async () => {
      const states = async (): Promise<string> =>
        (await status()).listener.reactors.map(({ state }) => state).join();
      await set('activitymonitor_reactor_threads', 3);
      await pollUntil('three reactors', states, (now) => now === 'ready,ready,ready');
      await (await send('REACTORS', 50)).end();
      await written('REACTORS', 50);
      await reset('activitymonitor_reactor_threads');
      await pollUntil('two reactors', states, (now) => now === 'ready,ready');
    },

    enable_activitymonitor_ingestion: async () => {
      await holdBack();
      const port = await gateway.agentPort();
      const silent = await stream();
      const half = await dial(port);
      const open = await send('FLAG', 50);
      await pollUntil('the events to wait', queueRows, (rows) => rows === 50);
      expect((await gateway.rest('PUT', FLAG, { value: false })).body).toMatchObject({ value: false });
      await Promise.all([closesAtOnce(open), closesAtOnce(silent)]);
      await pollUntil('the half-open one to be closed', () => half.destroyed, Boolean, AT_ONCE_MS);
      expect(await refused(port)).toBe(true);
      const { listener } = await status();
      expect(listener).toMatchObject({ state: 'stopped', port: 0 });
      expect(listener.reason).toContain('enable_activitymonitor_ingestion');
      expect((await fetch(`${gateway.httpUrl}/health/ready`)).status).toBe(503);
      await written('FLAG', 50);

      expect((await gateway.rest('PUT', FLAG, { value: true })).body).toMatchObject({ value: true });
      const again = await pollUntil('agents to be served', stream, Boolean, AT_ONCE_MS);
      await again.sendBytes(event('FLAG', 50));
      await again.end();
      await written('FLAG', 51);
      expect((await status()).listener.reactors[0]?.restarts).toBe(0);
    },

    // Last, because it ends the gateway.
    activitymonitor_shutdown_drain_timeout_seconds: async () => {
      await holdBack();
      await set('activitymonitor_shutdown_drain_timeout_seconds', 10);
      gate.hold();
      const open = await send('DRAIN', 100);
      await pollUntil('the events to wait', queueRows, (rows) => rows === 100);
      const began = Date.now();
      expect(await gateway.stop()).toBe(0);
      const took = Date.now() - began;
      expect(took).toBeGreaterThan(8_000);
      expect(took).toBeLessThan(25_000);
      expect(gateway.log()).toContain('Failed to drain the pipeline before the stop');
      await open.whenClosed();
    },
  };

  it('walks all of them', () => {
    const known = [...Object.keys(numberSettings), ...Object.keys(flagSettings)];
    expect(Object.keys(proofs).sort()).toEqual(known.sort());
  });

  it.each(Object.entries(proofs))('%s', async (_, proof) => proof(), 90_000);
});
