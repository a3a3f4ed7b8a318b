import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { PROGRAM, startGateway, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { fileEvent } from '../support/file-event.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

interface Readiness {
  readonly components: { readonly listener: { readonly status: string; readonly reason?: string } };
}

/** Runs a command of the program with the admin key of a gateway. */
async function command(argv: string[], { dataDir }: TestGateway): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    env: { ...process.env, GATEWAY_DATA_DIR: dataDir },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'close');
  return { code, output };
}

describe('the listener', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);

  async function start(env: NodeJS.ProcessEnv = {}, waitReady = true): Promise<TestGateway> {
    const gateway = await startGateway({
      env: { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1', ...env },
      waitReady,
    });
    cleanUp.push(() => gateway.dispose());
    return gateway;
  }
  async function enroll(gateway: TestGateway, host = 'AGENT'): Promise<AgentCredentials> {
    const agent = await createTestCertificate({ commonName: host });
    await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), host);
    return agent;
  }
  const set = (
    gateway: TestGateway,
    key: string,
    value: unknown,
  ): Promise<{ status: number; body: unknown }> => gateway.rest('PUT', `/api/v1/settings/${key}`, { value });
  const listener = async (gateway: TestGateway): Promise<GatewayStatus['listener']> =>
    (await gateway.status()).listener;
  const stored = async (gateway: TestGateway, host: string): Promise<number> =>
    Number(
      (await gateway.sql(`SELECT uniqExact(path) AS n FROM activity.file_events WHERE host = '${host}'`))[0]![
        'n'
      ],
    );
  const storedAll = (gateway: TestGateway, host: string, count: number): Promise<unknown> =>
    pollUntil(
      `${count} events of ${host}`,
      () => stored(gateway, host),
      (n) => n === count,
    );

  it('starts when its certificate comes, renews it for new connections, and keeps it when the next is bad', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'certificates-'));
    cleanUp.push(() => rm(dir, { recursive: true, force: true }));
    const install = async (pair: Pick<TestCertificate, 'certPem' | 'keyPem'>): Promise<void> => {
      for (const [name, text] of [
        ['server.key', pair.keyPem],
        ['server.crt', pair.certPem],
      ] as const) {
        await writeFile(join(dir, `${name}.part`), text);
        await rename(join(dir, `${name}.part`), join(dir, name));
      }
    };
    const tls = {
      SYSLOG_TLS_CERT_PATH: join(dir, 'server.crt'),
      SYSLOG_TLS_KEY_PATH: join(dir, 'server.key'),
    };
    await install(await createTestCertificate({ commonName: 'expired', days: -1 }));
    const gateway = await start(tls, false);
    await pollUntil(
      'the reason',
      () => listener(gateway),
      ({ state, reason }) => state === 'failed' && reason?.includes('expired at') === true,
    );

    const first = await createTestCertificate({ commonName: 'first', days: 20 });
    await install(first);
    await pollUntil(
      'the listener',
      () => listener(gateway),
      ({ state }) => state === 'listening',
    );
    expect(gateway.log()).toContain('Server certificate expires soon');
    const metrics = await (await fetch(`${gateway.httpUrl}/metrics`)).text();
    expect(Number(/^gateway_certificate_expires_days\{.*\} (.*)$/m.exec(metrics)?.[1])).toBeCloseTo(20, 1);

    const agent = await enroll(gateway);
    const port = await gateway.agentPort();
    const shown = async (): Promise<string> => {
      const peer = await RawAgent.connect(port, agent);
      const name = peer.socket.getPeerCertificate().subject.CN;
      peer.socket.destroy();
      return String(name);
    };
    const old = await RawAgent.connect(port, agent);
    await old.send(fileEvent('CERT', '1'));
    expect(await shown()).toBe('first');
    await install(await createTestCertificate({ commonName: 'second', days: 300, keys: first.keys }));
    await pollUntil('the renewed certificate', shown, (name) => name === 'second');
    await old.send(fileEvent('CERT', '2'));

    const unrelated = await createTestCertificate({ commonName: 'third' });
    await install({ ...(await createTestCertificate({ commonName: 'third' })), keyPem: unrelated.keyPem });
    const problem = await pollUntil(
      'the complaint',
      async () => (await listener(gateway)).certificate.problem,
    );
    expect(problem).toContain('does not belong to');
    expect(gateway.log()).toContain('The changed server certificate is not used');
    expect(await shown()).toBe('second');
    await old.send(fileEvent('CERT', '3'));

    const token = await gateway.token();
    const fourth = await createTestCertificate({ commonName: 'fourth' });
    await install(fourth);
    const keyChange = { from: first.spkiHash, to: fourth.spkiHash, served: false };
    await pollUntil(
      'the other key',
      async () => (await listener(gateway)).certificate.keyChange,
      (change) => isDeepStrictEqual(change, keyChange),
    );
    expect(await shown()).toBe('second');
    const ready = (await (await fetch(`${gateway.httpUrl}/health/ready`)).json()) as Readiness;
    expect(ready.components.listener).toMatchObject({
      status: 'degraded',
      reason: expect.stringContaining('gateway certificate confirm'),
    });
    const { code, output } = await command(['certificate', 'confirm', '--url', gateway.httpUrl], gateway);
    expect([code, output]).toEqual([0, expect.stringContaining(fourth.spkiHash)]);
    await pollUntil('the confirmed certificate', shown, (name) => name === 'fourth');
    expect((await command(['certificate', 'confirm', '--url', gateway.httpUrl], gateway)).code).toBe(1);
    const late = await createTestCertificate({ commonName: 'LATE' });
    const answer = await enrollRaw(await gateway.agentPort(), late, token, 'LATE');
    expect(answer).toMatchObject({ Status: 'Rejected', Error: 'InvalidCode' });
    expect(old.closed).toBe(false);
    await storedAll(gateway, 'CERT', 3);
  }, 90_000);

  it('moves to another port without losing a connection, and refuses one that is taken', async () => {
    const gateway = await start();
    const agent = await enroll(gateway);
    const before = await gateway.agentPort();
    const old = await RawAgent.connect(before, agent);
    await old.send(fileEvent('PORT', '1'));
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(await set(gateway, 'activitymonitor_tcp_port', port)).toMatchObject({ status: 409 });
    expect(await listener(gateway)).toMatchObject({
      state: 'listening',
      port: before,
      refusedPort: { port, reason: expect.stringContaining('EADDRINUSE') },
    });
    await new Promise((resolve) => other.close(resolve));
    expect(await set(gateway, 'activitymonitor_tcp_port', port)).toMatchObject({ status: 200 });
    expect(await gateway.agentPort()).toBe(port);
    await expect(RawAgent.connect(before, agent)).rejects.toThrow();
    const fresh = await RawAgent.connect(port, agent);
    await fresh.send(fileEvent('PORT', '2'));
    await old.send(fileEvent('PORT', '3'));
    expect(old.closed).toBe(false);
    await storedAll(gateway, 'PORT', 3);
  }, 60_000);

  it('lets every attempt of an agent succeed amid mute sockets, and closes a message that drips', async () => {
    const gateway = await start();
    const agent = await enroll(gateway);
    const port = await gateway.agentPort();
    const healthy = await RawAgent.connect(port, agent);
    await healthy.send(fileEvent('HEALTHY', 'first'));
    const slow = await RawAgent.connect(port, agent);
    await slow.send(fileEvent('SLOW', 'whole'));
    const dripping = Date.now();
    const drip = setInterval(() => void slow.sendBytes(' ').catch(() => undefined), 1_000);
    await slow.sendBytes('{"ActivityType":');
    // As many for each attempt as 300 a second are for ten attempts a second, from six addresses.
    const mute: Socket[] = [];
    cleanUp.push(async () => mute.forEach((socket) => socket.destroy()));
    for (let attempt = 0; attempt < 30; attempt += 1) {
      for (let n = 0; n < 30; n += 1) {
        const from = { port, host: '127.0.0.1', localAddress: `127.0.1.${1 + (n % 6)}` };
        mute.push(
          connect(from)
            .on('error', () => undefined)
            .resume(),
        );
      }
      const agentOnce = await RawAgent.connect(port, agent);
      await agentOnce.send(fileEvent('HEALTHY', `attempt ${attempt}`));
      await agentOnce.end();
    }
    await healthy.send(fileEvent('HEALTHY', 'last'));
    await storedAll(gateway, 'HEALTHY', 32);
    await pollUntil('all of them closed', () => mute.every((socket) => socket.closed));
    expect(healthy.closed).toBe(false);
    // The lobby may be slower to end mute sockets than they come: then some of them are turned away, and never the agent.
    expect((await listener(gateway)).rejected).toMatchObject({ limit: 0, rate: 0 });

    await slow.whenClosed();
    clearInterval(drip);
    expect(Date.now() - dripping).toBeGreaterThan(28_000);
    expect(Date.now() - dripping).toBeLessThan(36_000);
    expect((await listener(gateway)).bans).toEqual([]);
    const metrics = await (await fetch(`${gateway.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/gateway_agent_connections_closed_total\{reason="message_timeout".*\} 1/);
    expect(metrics).toMatch(/gateway_connections_displaced_total\{.*\} [1-9]/);
  }, 90_000);

  it('serves an unknown address in the lobby, and an agent that comes back beside it, also after a restart', async () => {
    const first = await start();
    expect((await listener(first)).lobby).toBeUndefined();
    const agent = await enroll(first);
    expect((await listener(first)).lobby).toMatchObject({ state: 'ready', restarts: 0 });
    const served = async (gateway: TestGateway, text: string): Promise<number[]> => {
      const each = await RawAgent.connect(await gateway.agentPort(), agent);
      cleanUp.push(async () => each.socket.destroy());
      await each.send(fileEvent('LOBBY', text));
      const connections = async (): Promise<number[]> =>
        (await listener(gateway)).reactors.map((reactor) => reactor.connections);
      return pollUntil('the connection', connections, (counts) => counts.some((count) => count > 0));
    };
    await served(first, 'before');
    expect((await listener(first)).lobby).toMatchObject({ connections: 0 });
    await first.stop();
    const second = await startGateway({ dataDir: first.dataDir });
    cleanUp.push(() => second.dispose());
    await served(second, 'after');
    expect((await listener(second)).lobby).toBeUndefined();
  }, 60_000);

  it('outlives peers that reset their connections, in the lobby and beside the agents of an address', async () => {
    const gateway = await start();
    const port = await gateway.agentPort();
    /** One peer stays mute, and others reset while they wait or before they have said anything. */
    const resetMany = async (): Promise<void> => {
      const mute = connect(port, '127.0.0.1').on('error', () => undefined);
      for (let peer = 0; peer < 20; peer += 1) {
        const tcp = connect(port, '127.0.0.1').on('error', () => undefined);
        await once(tcp, 'connect');
        setTimeout(() => tcp.resetAndDestroy(), 2 * peer);
      }
      await pollUntil(
        'only the mute one',
        () => listener(gateway),
        ({ unidentifiedConnections }) => unidentifiedConnections === 1,
      );
      mute.destroy();
    };
    await resetMany();
    const agent = await enroll(gateway);
    await resetMany();
    const peer = await RawAgent.connect(port, agent);
    await peer.send(fileEvent('RESET'));
    await peer.end();
    await storedAll(gateway, 'RESET', 1);
    const { lobby, reactors } = await listener(gateway);
    expect([lobby, ...reactors].map((each) => each?.restarts)).toEqual([0, ...reactors.map(() => 0)]);
  });

  it('holds 990 idle agents for less than 64 KiB each, and serves one more amid half-open sockets', async () => {
    const gateway = await start({
      ACTIVITYMONITOR_MAX_CONNECTIONS: '1000',
      ACTIVITYMONITOR_REACTOR_THREADS: '1',
      GATEWAY_MAX_CONNECTIONS_PER_KEY: '1000',
    });
    const agent = await enroll(gateway);
    const port = await gateway.agentPort();
    const reactor = async (): Promise<{ connections: number; bytes: number }> => {
      const [first] = (await listener(gateway)).reactors;
      return { connections: first?.connections ?? 0, bytes: first?.rssBytes ?? Number.NaN };
    };
    const open = async (count: number): Promise<void> => {
      for (let opened = 0; opened < count; opened += 30) {
        const some = Array.from({ length: Math.min(30, count - opened) }, async () => {
          const each = await RawAgent.connect(port, agent);
          cleanUp.push(async () => each.socket.destroy());
          await each.send(fileEvent('IDLE'));
        });
        await Promise.all(some);
      }
    };
    // The first ones pay for what all share.
    await open(100);
    const before = await pollUntil('100 agents', reactor, ({ connections }) => connections === 100);
    await open(890);
    const after = await pollUntil('990 agents', reactor, ({ connections }) => connections === 990);
    expect((after.bytes - before.bytes) / 890).toBeLessThan(65_536);

    const halfOpen = Array.from({ length: 200 }, () =>
      connect({ port, host: '127.0.0.1', localAddress: '127.0.1.1' }).on('error', () => undefined),
    );
    cleanUp.push(async () => halfOpen.forEach((socket) => socket.destroy()));
    const healthy = await RawAgent.connect(port, agent);
    await healthy.send(fileEvent('MANY', '1'));
    await storedAll(gateway, 'MANY', 1);
    expect(await listener(gateway)).toMatchObject({ connections: 991, rejected: { limit: 0 } });
    // The last places.
    await open(9);
    await pollUntil(
      'all places to be taken',
      () => listener(gateway),
      ({ connections }) => connections === 1_000,
    );
    await expect(RawAgent.connect(port, agent)).rejects.toThrow();
    const full = await listener(gateway);
    expect(full).toMatchObject({ connections: 1_000, rejected: { limit: 1 } });
    expect(full.limitsReached).toMatchObject([{ limit: 'connections', max: 1_000 }]);
  }, 120_000);

  it('changes the number of reactors under load, and stores every event once', async () => {
    const gateway = await start({ ACTIVITYMONITOR_REACTOR_THREADS: '2' });
    const agent = await enroll(gateway);
    const port = await gateway.agentPort();
    let running = true;
    // As an agent does: what the operating system has taken counts as sent, and after an end it connects again.
    const stream = async (name: string): Promise<number> => {
      let sent = 0;
      while (running) {
        const peer = await RawAgent.connect(port, agent).catch(() => undefined);
        if (peer === undefined) continue;
        let ended = false;
        peer.socket.once('end', () => (ended = true));
        while (running && !ended && !peer.closed) {
          for (let n = 0; n < 20 && !ended; n += 1) {
            peer.socket.write(`${JSON.stringify(fileEvent('LOAD', `${name}-${(sent += 1)}`))}\n`);
          }
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        if (running) await peer.whenClosed();
        else await peer.end();
      }
      return sent;
    };
    const streams = Array.from({ length: 6 }, (_, index) => stream(`s${index}`));
    const states = async (): Promise<string[]> =>
      (await listener(gateway)).reactors.map(({ index, state }) => `${index} ${state}`);
    const resize = async (count: number): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await set(gateway, 'activitymonitor_reactor_threads', count);
      const wanted = Array.from({ length: count }, (_, index) => `${index} ready`).join();
      await pollUntil(`${count} reactors`, states, (now) => now.join() === wanted);
    };
    await resize(1);
    await resize(3);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    running = false;
    const sent = (await Promise.all(streams)).reduce((sum, each) => sum + each, 0);
    await storedAll(gateway, 'LOAD', sent);
    const [total] = await gateway.sql("SELECT count() AS n FROM activity.file_events WHERE host = 'LOAD'");
    expect(Number(total!['n'])).toBe(sent);
    // Counts of the reactor that has ended are in the sums.
    await pollUntil(
      'the counts to add up',
      async () => (await gateway.status()).pipelines[0]!.counts,
      (counts) => counts.delivered === sent && counts.received === sent && counts.inFlight === 0,
    );
    const [shown] = (
      await gateway.rest<{ eventsReceived: number; connections: number; certificate: { subject: string } }[]>(
        'GET',
        '/api/v1/nam-listener/agents',
      )
    ).body;
    expect(shown).toMatchObject({ eventsReceived: sent, certificate: { subject: 'CN=AGENT' } });
  }, 90_000);

  it('closes the connections of a removed agent within a second', async () => {
    const gateway = await start();
    const agent = await createTestCertificate({ commonName: 'GONE' });
    await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), 'GONE');
    const peers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const peer = await RawAgent.connect(await gateway.agentPort(), agent);
        await peer.send(fileEvent('GONE'));
        return peer;
      }),
    );
    await storedAll(gateway, 'GONE', 1);
    const began = Date.now();
    await gateway.rest('DELETE', `/api/v1/nam-listener/agents/${agent.spkiHash}`);
    await Promise.all(peers.map((peer) => peer.whenClosed()));
    expect(Date.now() - began).toBeLessThan(1_000);
  }, 60_000);
});
