import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { fileEvent } from '../support/file-event.js';
import { enroll, listener, listenerSuite, storedAll } from '../support/listener-suite.js';
import { pollUntil } from '../support/poll.js';
import { RawAgent } from '../support/raw-agent.js';

describe('peers that are mute, slow or gone', () => {
  const { cleanUp, start } = listenerSuite();

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
});
