import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { startGateway, type GatewayStatus, type TestGateway } from '../support/gateway.js';
import { fileEvent } from '../support/file-event.js';
import type { AgentView } from '../../apps/ingest-gateway/src/admin/agent.view.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

const ENV = {
  ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
  ACTIVITYMONITOR_ENROLLMENT_FIRST_MESSAGE_TIMEOUT_SECONDS: '5',
  ACTIVITYMONITOR_ENROLLMENT_BAN_DURATION_SECONDS: '5',
  ACTIVITYMONITOR_CONNECTION_TIMEOUT: '5',
  ACTIVITYMONITOR_MAX_MESSAGE_SIZE: '65536',
  GATEWAY_NEVER_BAN: '127.0.2.0/24, 2001:db8::/64',
};

interface Readiness {
  readonly components: { readonly listener: { readonly status: string; readonly reason?: string } };
}

describe('the agent protocol', () => {
  let gateway: TestGateway;
  let enrolled: AgentCredentials & { spkiHash: string };
  let stranger: AgentCredentials & { spkiHash: string };
  let port: number;

  beforeAll(async () => {
    gateway = await startGateway({ env: ENV });
    enrolled = await createTestCertificate({ commonName: 'AGENT' });
    stranger = await createTestCertificate({ commonName: 'STRANGER' });
    port = await gateway.agentPort();
    await enrollRaw(port, enrolled, await gateway.token(), 'AGENT');
  }, 60_000);
  afterAll(() => gateway.dispose(), 60_000);

  const bans = async (): Promise<GatewayStatus['listener']['bans']> => (await gateway.status()).listener.bans;
  const bansOf = async (address: string): Promise<GatewayStatus['listener']['bans']> =>
    (await bans()).filter(({ ip }) => ip === address);
  const penalty = (address: string, effect: 'ban' | 'slow'): Promise<unknown> =>
    pollUntil(
      `the ${effect}`,
      () => bansOf(address),
      ([found]) => found?.effect === effect,
    );
  /** An address of its own for each test of a ban, as agents stream from 127.0.0.1. */
  let lastAddress = 0;
  const nextAddress = (): string => `127.0.1.${(lastAddress += 1)}`;

  it('refuses TLS 1.2', async () => {
    await expect(
      RawAgent.connect(port, enrolled, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
    ).rejects.toThrow();
    expect(await bansOf('127.0.0.1')).toEqual([]);
  });

  it('closes and bans a peer without a certificate, before TLS work while the ban lasts', async () => {
    const from = { localAddress: nextAddress() };
    const waiting = await RawAgent.connect(port, stranger, from);
    const peer = await RawAgent.connect(port, undefined, from).catch(() => undefined);
    await peer?.whenClosed();
    await penalty(from.localAddress, 'ban');
    // A ban closes the other unidentified connections of the address.
    await waiting.whenClosed();
    await expect(RawAgent.connect(port, enrolled, from)).rejects.toThrow();
    expect((await gateway.status()).listener.rejected.banned).toBeGreaterThan(0);
    await (await RawAgent.connect(port, enrolled)).end();
  }, 60_000);

  it('closes an unknown key that sends an event: no reply, no ban', async () => {
    const from = { localAddress: nextAddress() };
    const peer = await RawAgent.connect(port, stranger, from);
    await peer.send(fileEvent('STRANGER'));
    await peer.whenClosed();
    expect(peer.received).toBe('');
    expect(await bansOf(from.localAddress)).toEqual([]);
  }, 60_000);

  it('does not resume sessions: a copied one is useless without the private key', async () => {
    const sessions: Buffer[] = [];
    const first = await RawAgent.connect(port, enrolled);
    first.socket.on('session', (session: Buffer) => sessions.push(session));
    await first.send(fileEvent('SESSION'));
    await first.end();
    const localAddress = nextAddress();
    const session = sessions.at(-1);
    const thief = await RawAgent.connect(port, undefined, { session, localAddress }).catch(() => undefined);
    expect(thief?.socket.isSessionReused() ?? false).toBe(false);
    await thief?.send(fileEvent('STOLEN')).catch(() => undefined);
    await thief?.whenClosed();
    await penalty(localAddress, 'ban');
    await pollUntil(
      'the event of the first connection',
      () => gateway.sql("SELECT host FROM activity.file_events WHERE host IN ('SESSION', 'STOLEN')"),
      (rows) => rows.length > 0,
    ).then((rows) => expect(rows).toEqual([{ host: 'SESSION' }]));
  }, 60_000);

  it.each([
    ['InvalidCode', { MessageType: 'EnrollmentRequest', EnrollmentCode: 'wrong', AgentHost: 'X' }],
    ['MalformedRequest', { MessageType: 'EnrollmentRequest', AgentHost: 'X' }],
    ['MalformedRequest', { MessageType: 'EnrollmentRequest', EnrollmentCode: 7, AgentHost: 'X' }],
  ])(
    'rejects an enrollment with %s and bans',
    async (error, request) => {
      const localAddress = nextAddress();
      const peer = await RawAgent.connect(port, stranger, { localAddress });
      await peer.send(request);
      await peer.whenClosed();
      expect(JSON.parse(peer.received)).toMatchObject({
        MessageType: 'EnrollmentResponse',
        Status: 'Rejected',
        Error: error,
      });
      await penalty(localAddress, 'ban');
    },
    60_000,
  );

  it('invalidates a token when a newer one is made', async () => {
    const old = await gateway.token();
    const current = await gateway.token();
    const address = nextAddress();
    const refused = await enrollRaw(port, stranger, old, 'STRANGER', address);
    expect(refused).toMatchObject({ Status: 'Rejected', Error: 'InvalidCode' });
    await pollUntil(
      'the ban to run out',
      () => bansOf(address),
      (list) => list.length === 0,
    );
    expect(await enrollRaw(port, stranger, current, 'STRANGER')).toMatchObject({ Status: 'Enrolled' });
    expect(await enrollRaw(port, enrolled, current, 'AGENT')).toMatchObject({ Status: 'Enrolled' });
    expect((await gateway.rest('DELETE', `/api/v1/nam-listener/agents/${stranger.spkiHash}`)).status).toBe(
      204,
    );
  }, 60_000);

  it.each([
    ['text', 'hello'],
    ['an array', '[1,2]'],
    ['broken JSON', '{"ActivityType":'],
    ['an object of no type', '{"a":1}'],
    ['an unknown message type', '{"MessageType":"Whatever"}'],
  ])(
    'keeps %s from an enrolled agent as a dead letter, and the connection stays, without a ban',
    async (name, line) => {
      const marker = `${line} `.padEnd(line.length + 2 + name.length);
      const peer = await RawAgent.connect(port, enrolled);
      await peer.send(fileEvent('BEFORE'));
      await peer.send(marker);
      await pollUntil(
        'the dead letter',
        () => gateway.sql('SELECT raw, stage, agent_host FROM activity.dead_letters'),
        (rows) =>
          rows.some(
            (row) => row['raw'] === marker && row['stage'] === 'frame' && row['agent_host'] === 'AGENT',
          ),
      );
      expect(peer.closed).toBe(false);
      expect(await bansOf('127.0.0.1')).toEqual([]);
      await peer.end();
    },
    60_000,
  );

  it('bans an unknown key for a violation, and keeps no dead letter of it', async () => {
    const localAddress = nextAddress();
    const peer = await RawAgent.connect(port, stranger, { localAddress });
    await peer.send('stranger talks');
    await peer.whenClosed();
    await penalty(localAddress, 'ban');
    const rows = await gateway.sql(
      "SELECT count() AS n FROM activity.dead_letters WHERE raw LIKE '%stranger%'",
    );
    expect(Number(rows[0]!['n'])).toBe(0);
  }, 60_000);

  it('slows the address of an agent instead of banning it: the agent stays, and gets in again soon', async () => {
    const from = { localAddress: nextAddress() };
    const agent = await RawAgent.connect(port, enrolled, from);
    await agent.send(fileEvent('SLOWED', 'before'));
    // What a balancer's health check does.
    const check = await RawAgent.connect(port, undefined, from).catch(() => undefined);
    await check?.whenClosed();
    await penalty(from.localAddress, 'slow');
    const listed = await gateway.rest('GET', '/api/v1/nam-listener/bans');
    expect(listed.body).toContainEqual(
      expect.objectContaining({ ip: from.localAddress, reason: 'no_client_certificate', effect: 'slow' }),
    );
    const mute = Array.from({ length: 20 }, () =>
      connect({ port, host: '127.0.0.1', ...from }).on('error', () => undefined),
    );
    await pollUntil('most to be closed', () => mute.filter((each) => !each.closed).length <= 4);
    expect((await gateway.status()).listener.rejected.slowed).toBeGreaterThanOrEqual(14);
    const next = await pollUntil('a place', () => RawAgent.connect(port, enrolled, from), Boolean, 5_000);
    await next.send(fileEvent('SLOWED', 'after'));
    expect(agent.closed).toBe(false);
    mute.forEach((each) => each.destroy());
    await Promise.all([agent.end(), next.end()]);
    const path = `/api/v1/nam-listener/bans/${from.localAddress}`;
    expect((await gateway.rest('DELETE', path)).status).toBe(204);
    expect(await bansOf(from.localAddress)).toEqual([]);
  }, 60_000);

  it('bans nobody for what a key of the allowlist does, and closes its connection', async () => {
    const from = { localAddress: nextAddress() };
    expect(await enrollRaw(port, enrolled, 'nam1.wrong.x', 'AGENT', from.localAddress)).toMatchObject({
      Status: 'Rejected',
      Error: 'InvalidCode',
    });
    expect(await bansOf(from.localAddress)).toEqual([]);
    await (await RawAgent.connect(port, enrolled, from)).end();
  }, 60_000);

  it('never bans a network that the configuration names', async () => {
    const from = { localAddress: '127.0.2.7' };
    const before = (await gateway.status()).listener.rejected;
    for (let n = 0; n < 5; n += 1) {
      const check = await RawAgent.connect(port, undefined, from).catch(() => undefined);
      await check?.whenClosed();
    }
    expect(await bansOf(from.localAddress)).toEqual([]);
    const { banned, slowed } = (await gateway.status()).listener.rejected;
    expect([banned, slowed]).toEqual([before.banned, before.slowed]);
  }, 60_000);

  it('gives one key eight connections, and says in readiness that it had no more', async () => {
    const many = await createTestCertificate({ commonName: 'MANY' });
    await enrollRaw(port, many, await gateway.token(), 'MANY');
    const agents = await Promise.all(Array.from({ length: 8 }, () => RawAgent.connect(port, many)));
    await Promise.all(agents.map((each) => each.send(fileEvent('MANY'))));
    await pollUntil(
      'eight connections of the key',
      async () => (await gateway.rest<AgentView[]>('GET', '/api/v1/nam-listener/agents')).body,
      (list) => list.find(({ spkiHash }) => spkiHash === many.spkiHash)?.connections === 8,
    );
    const ninth = await RawAgent.connect(port, many);
    await ninth.whenClosed();
    expect(agents.filter((each) => each.closed)).toEqual([]);
    const ready = (await (await fetch(`${gateway.httpUrl}/health/ready`)).json()) as Readiness;
    expect(ready.components.listener).toEqual({
      status: 'degraded',
      reason: expect.stringContaining(many.spkiHash),
    });
    await agents.pop()!.end();
    const next = await pollUntil('a place', async () => {
      const agent = await RawAgent.connect(port, many);
      await agent.send(fileEvent('MANY'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      return agent.closed ? undefined : agent;
    });
    await Promise.all([...agents, next].map((each) => each!.end()));
  }, 60_000);

  it('closes silent peers after the first-message timeout, with and without TLS, without a ban', async () => {
    const silent = await RawAgent.connect(port, enrolled);
    const half = connect(port, '127.0.0.1');
    half.on('error', () => undefined);
    const halfClosed = new Promise((resolve) => half.once('close', resolve));
    await Promise.all([silent.whenClosed(), halfClosed]);
    expect(await bansOf('127.0.0.1')).toEqual([]);
  }, 60_000);

  it('keeps a connection alive by empty lines and closes it when it idles', async () => {
    const peer = await RawAgent.connect(port, enrolled);
    await peer.send(fileEvent('IDLE'));
    for (let i = 0; i < 7; i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await peer.sendBytes('\n');
      expect(peer.closed).toBe(false);
    }
    const began = Date.now();
    await peer.whenClosed();
    expect(Date.now() - began).toBeGreaterThan(3500);
    expect(await bansOf('127.0.0.1')).toEqual([]);
  }, 60_000);

  it('drops a connection whose message is over the limit', async () => {
    const peer = await RawAgent.connect(port, enrolled);
    await peer.send(fileEvent('BIG'));
    await peer.sendBytes('x'.repeat(70_000)).catch(() => undefined);
    await peer.whenClosed();
  }, 60_000);

  it('takes a Hello first and streams on', async () => {
    const peer = await RawAgent.connect(port, enrolled);
    await peer.send({ MessageType: 'Hello', Ack: true, AgentHost: 'AGENT' });
    await peer.send(fileEvent('HELLO'));
    await peer.end();
    await pollUntil(
      'the event after the Hello',
      () => gateway.sql("SELECT 1 FROM activity.file_events WHERE host = 'HELLO'"),
      (rows) => rows.length === 1,
    );
  }, 60_000);

  it('closes open connections of an agent that is removed', async () => {
    const agent = await createTestCertificate({ commonName: 'REMOVED' });
    await enrollRaw(port, agent, await gateway.token(), 'REMOVED');
    const peer = await RawAgent.connect(port, agent);
    await peer.send(fileEvent('REMOVED'));
    const connected = await pollUntil(
      'the agent to show as connected',
      async () => (await gateway.rest<AgentView[]>('GET', '/api/v1/nam-listener/agents')).body,
      // Counts and times come separately.
      (agents) =>
        agents.some(
          (each) => each.spkiHash === agent.spkiHash && each.eventsReceived === 1 && each.lastSeenAt !== null,
        ),
    );
    expect(connected.find((each) => each.spkiHash === agent.spkiHash)).toMatchObject({
      hostname: 'REMOVED',
      sourceIp: '127.0.0.1',
      connected: true,
      connections: 1,
      certificate: { subject: 'CN=REMOVED', notAfter: expect.stringMatching(/^20.*Z$/) },
      lastSeenAt: expect.stringMatching(/^20.*Z$/),
    });
    expect(connected.find((each) => each.spkiHash === agent.spkiHash)!.bytesReceived).toBeGreaterThan(50);
    expect((await gateway.rest('DELETE', `/api/v1/nam-listener/agents/${agent.spkiHash}`)).status).toBe(204);
    const began = Date.now();
    await peer.whenClosed();
    expect(Date.now() - began).toBeLessThan(1500);
    const again = await RawAgent.connect(port, agent);
    await again.send(fileEvent('REMOVED'));
    await again.whenClosed();
  }, 60_000);
});
