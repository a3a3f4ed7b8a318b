import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@app/pipeline/testing';
import { startGateway, type TestGateway } from '../support/gateway.js';
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
};
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

  const bans = async (): Promise<readonly unknown[]> => (await gateway.status()).listener.bans;
  beforeEach(async () => {
    await pollUntil('bans to run out', bans, (list) => list.length === 0);
  }, 60_000);

  it('refuses TLS 1.2', async () => {
    await expect(
      RawAgent.connect(port, enrolled, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
    ).rejects.toThrow();
    expect(await bans()).toEqual([]);
  });

  it('closes and bans a peer without a certificate, before TLS work while the ban lasts', async () => {
    const peer = await RawAgent.connect(port).catch(() => undefined);
    await peer?.whenClosed();
    await pollUntil('the ban', bans, (list) => list.length === 1);
    await expect(RawAgent.connect(port, enrolled)).rejects.toThrow();
    expect((await gateway.status()).listener.rejected.banned).toBeGreaterThan(0);
  }, 60_000);

  it('closes an unknown key that sends an event: no reply, no ban', async () => {
    const peer = await RawAgent.connect(port, stranger);
    await peer.send(fileEvent('STRANGER'));
    await peer.whenClosed();
    expect(peer.received).toBe('');
    expect(await bans()).toEqual([]);
  }, 60_000);

  it('does not resume sessions: a copied one is worth nothing without the private key', async () => {
    const sessions: Buffer[] = [];
    const first = await RawAgent.connect(port, enrolled);
    first.socket.on('session', (session: Buffer) => sessions.push(session));
    await first.send(fileEvent('SESSION'));
    await first.end();
    const thief = await RawAgent.connect(port, undefined, { session: sessions.at(-1) }).catch(
      () => undefined,
    );
    expect(thief?.socket.isSessionReused() ?? false).toBe(false);
    await thief?.send(fileEvent('STOLEN')).catch(() => undefined);
    await thief?.whenClosed();
    await pollUntil('the ban', bans, (list) => list.length === 1);
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
      const peer = await RawAgent.connect(port, stranger);
      await peer.send(request);
      await peer.whenClosed();
      expect(JSON.parse(peer.received)).toMatchObject({
        MessageType: 'EnrollmentResponse',
        Status: 'Rejected',
        Error: error,
      });
      expect(await bans()).toHaveLength(1);
    },
    60_000,
  );

  it('invalidates a token when a newer one is made', async () => {
    const old = await gateway.token();
    const current = await gateway.token();
    const refused = await enrollRaw(port, stranger, old, 'STRANGER');
    expect(refused).toMatchObject({ Status: 'Rejected', Error: 'InvalidCode' });
    await pollUntil('the ban to run out', bans, (list) => list.length === 0);
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
      expect(await bans()).toEqual([]);
      await peer.end();
    },
    60_000,
  );

  it('bans an unknown key for a violation, and keeps no dead letter of it', async () => {
    const peer = await RawAgent.connect(port, stranger);
    await peer.send('stranger talks');
    await peer.whenClosed();
    await pollUntil('the ban', bans, (list) => list.length === 1);
    const rows = await gateway.sql(
      "SELECT count() AS n FROM activity.dead_letters WHERE raw LIKE '%stranger%'",
    );
    expect(Number(rows[0]!['n'])).toBe(0);
  }, 60_000);

  it('closes silent peers after the first-message timeout, with and without TLS, without a ban', async () => {
    const silent = await RawAgent.connect(port, enrolled);
    const { connect } = await import('node:net');
    const half = connect(port, '127.0.0.1');
    half.on('error', () => undefined);
    const halfClosed = new Promise((resolve) => half.once('close', resolve));
    await Promise.all([silent.whenClosed(), halfClosed]);
    expect(await bans()).toEqual([]);
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
    expect(await bans()).toEqual([]);
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
      (agents) => agents.some((each) => each.spkiHash === agent.spkiHash && each.eventsReceived === 1),
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
