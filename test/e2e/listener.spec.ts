import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { fileEvent } from '../support/file-event.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { enroll, listener, listenerSuite, storedAll } from '../support/listener-suite.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent } from '../support/raw-agent.js';

describe('the listener', () => {
  const { cleanUp, start } = listenerSuite();
  const set = (
    gateway: TestGateway,
    key: string,
    value: unknown,
  ): Promise<{ status: number; body: unknown }> => gateway.rest('PUT', `/api/v1/settings/${key}`, { value });

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
