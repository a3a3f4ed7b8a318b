import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { fileEvent } from '../support/file-event.js';
import { describeWithOwnMongo, startOwnMongo, withClient, type OwnTestMongo } from '../support/mongodb.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

/** What is promised to operators, ms. */
const PROMISED_MS = 2_000;

const spkiOf = ({ certPem }: AgentCredentials): string =>
  createHash('sha256')
    .update(new X509Certificate(certPem).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

describeWithOwnMongo('gateways on one MongoDB', () => {
  let mongo: OwnTestMongo;
  let tlsDir: string;
  const running: TestGateway[] = [];

  beforeAll(async () => {
    mongo = await startOwnMongo();
    tlsDir = await mkdtemp(join(tmpdir(), 'gateway-tls-'));
    const { certPem, keyPem } = await createTestCertificate({ commonName: 'gateway' });
    await writeFile(join(tlsDir, 'cert.pem'), certPem);
    await writeFile(join(tlsDir, 'key.pem'), keyPem);
  }, 30_000);
  afterAll(async () => {
    await mongo.dispose();
    await rm(tlsDir, { recursive: true, force: true });
  });

  const cleanUp = async (): Promise<void> => {
    await Promise.all(running.splice(0).map((gateway) => gateway.dispose()));
    await mongo.restart();
    await withClient(mongo.uri, (client) => client.db('e2e').dropDatabase());
  };
  const start = async (waitReady = true): Promise<TestGateway> => {
    const gateway = await startGateway({
      waitReady,
      env: {
        GATEWAY_STORE: 'mongodb',
        MONGODB_URI: mongo.uri,
        MONGODB_DATABASE: 'e2e',
        // Agents pin this key: it is the same wherever a balancer takes them.
        SYSLOG_TLS_CERT_PATH: join(tlsDir, 'cert.pem'),
        SYSLOG_TLS_KEY_PATH: join(tlsDir, 'key.pem'),
        ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
      },
    });
    running.push(gateway);
    return gateway;
  };
  const enroll = async (gateway: TestGateway, token?: string): Promise<AgentCredentials> => {
    const agent = await createTestCertificate({ commonName: 'AGENT' });
    const answer = await enrollRaw(
      await gateway.agentPort(),
      agent,
      token ?? (await gateway.token()),
      'AGENT',
    );
    expect(answer.Status).toBe('Enrolled');
    return agent;
  };
  const agentsOf = async (gateway: TestGateway): Promise<Record<string, unknown>[]> =>
    (await gateway.rest('GET', '/api/v1/nam-listener/agents')).body as Record<string, unknown>[];
  /** Waits until a gateway lets the agent in: its own snapshot says so, not the database. */
  const isKnownTo = (gateway: TestGateway): Promise<unknown> =>
    pollUntil(
      'the allowlist of the other gateway',
      async () => (await fetch(`${gateway.httpUrl}/metrics`)).text(),
      (text) => /^gateway_agents_allowlisted\{[^}]*\} 1$/m.test(text),
      PROMISED_MS,
    );
  const ready = async (gateway: TestGateway): Promise<{ code: number; status: string; store: unknown }> => {
    const response = await fetch(`${gateway.httpUrl}/health/ready`);
    const body = (await response.json()) as { status: string; components: { store: unknown } };
    return { code: response.status, status: body.status, store: body.components.store };
  };
  const arrived = (gateway: TestGateway, host: string, count: number): Promise<unknown> =>
    pollUntil(
      'the events in ClickHouse',
      () => gateway.sql(`SELECT count() AS n FROM activity.file_events WHERE host = '${host}'`),
      (rows) => Number(rows[0]?.['n']) === count,
    );

  describe('that both run', () => {
    let one: TestGateway;
    let other: TestGateway;
    beforeAll(async () => {
      [one, other] = await Promise.all([start(), start()]);
    }, 60_000);
    afterAll(cleanUp, 60_000);

    it('an agent that enrolled at one streams to the other, until it is removed at the first', async () => {
      const agent = await enroll(one);
      await isKnownTo(other);
      const stream = await RawAgent.connect(await other.agentPort(), agent);
      await stream.send(fileEvent('CROSS', 'p'));
      await arrived(other, 'CROSS', 1);
      const ids = await Promise.all([one, other].map(async (each) => (await each.status()).gateway.id));
      expect(ids[0]).not.toBe(ids[1]);

      const path = `/api/v1/nam-listener/agents/${spkiOf(agent)}`;
      expect((await one.rest('DELETE', path)).status).toBe(204);
      await pollUntil('the connection to be closed', () => stream.closed, Boolean, PROMISED_MS);
      expect(await agentsOf(other)).toEqual([]);
    }, 90_000);

    it('a token of one is good at the other, and ends when that makes a new one', async () => {
      const first = await one.token();
      await enroll(other, first);
      await other.token();
      const late = await createTestCertificate({ commonName: 'LATE' });
      expect(await enrollRaw(await one.agentPort(), late, first, 'LATE')).toMatchObject({
        Status: 'Rejected',
        Error: 'InvalidCode',
      });
    }, 90_000);

    it('a setting that is changed at one acts on the other', async () => {
      const path = '/api/v1/settings/activitymonitor_max_connections';
      expect((await one.rest('PUT', path, { value: 55 })).status).toBe(200);
      await pollUntil(
        'the limit of the other listener',
        async () => (await other.status()).listener.maxConnections,
        (limit) => limit === 55,
        PROMISED_MS,
      );
      expect((await other.rest('DELETE', path)).status).toBeLessThan(300);
      await pollUntil(
        'the default at the first',
        async () => (await one.status()).listener.maxConnections,
        (limit) => limit === 100,
        PROMISED_MS,
      );
    }, 90_000);
  });

  describe('whose MongoDB is gone', () => {
    afterEach(cleanUp, 60_000);

    it('goes on without MongoDB: agents stream, changes answer 503, nobody is banned; and recovers by itself', async () => {
      const gateway = await start();
      const token = await gateway.token();
      const agent = await enroll(gateway, token);
      const stream = await RawAgent.connect(await gateway.agentPort(), agent);
      await stream.send(fileEvent('OUTAGE', 'before'));
      await mongo.kill();
      const gone = await pollUntil(
        'degradation',
        () => ready(gateway),
        ({ status }) => status === 'degraded',
      );
      expect(gone).toMatchObject({
        code: 200,
        store: { status: 'degraded', reason: expect.stringContaining(`127.0.0.1:${mongo.port}`) },
      });

      await stream.send(fileEvent('OUTAGE', 'open connection'));
      const second = await RawAgent.connect(await gateway.agentPort(), agent);
      await second.send(fileEvent('OUTAGE', 'new connection'));
      await arrived(gateway, 'OUTAGE', 3);

      const path = `/api/v1/nam-listener/agents/${spkiOf(agent)}`;
      for (const [method, target] of [
        ['DELETE', path],
        ['POST', '/api/v1/nam-listener/enrollment-token'],
        ['DELETE', '/api/v1/settings/activitymonitor_batch_size'],
      ] as const) {
        const answer = await gateway.rest(method, target);
        expect(answer).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE', status: 503 } });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      const stranger = await RawAgent.connect(
        await gateway.agentPort(),
        await createTestCertificate({ commonName: 'NEW' }),
      );
      await stranger.send({
        MessageType: 'EnrollmentRequest',
        EnrollmentCode: token.split('.')[1],
        AgentHost: 'NEW',
      });
      await stranger.whenClosed();
      expect(stranger.received).toBe('');
      expect((await gateway.status()).listener.bans).toEqual([]);
      expect([stream.closed, second.closed]).toEqual([false, false]);

      const restarted = Date.now();
      await mongo.restart();
      await pollUntil(
        'recovery',
        () => ready(gateway),
        ({ status }) => status === 'ok',
      );
      await enroll(gateway, token);
      await pollUntil('when the agent was seen', async () => {
        const seen = (await agentsOf(gateway)).find((each) => each['spkiHash'] === spkiOf(agent));
        return Date.parse(String(seen?.['lastSeenAt'])) < restarted;
      });
      expect((await gateway.rest('DELETE', path)).status).toBe(204);
      await pollUntil('the connections to be closed', () => stream.closed && second.closed);
    }, 120_000);

    it('starts without MongoDB: REST and health answer, agents are served as soon as it comes', async () => {
      const before = await start();
      const agent = await enroll(before);
      await before.stop();
      await mongo.kill();
      const gateway = await start(false);
      const waiting = await pollUntil(
        'the reason',
        async () => (await gateway.status()).listener,
        ({ reason }) => reason?.includes('ECONNREFUSED') ?? false,
      );
      expect(waiting).toMatchObject({ state: 'starting', port: 0 });
      expect(await ready(gateway)).toMatchObject({
        code: 503,
        status: 'failed',
        store: { status: 'failed' },
      });
      expect((await gateway.rest('GET', '/api/v1/nam-listener/agents')).status).toBe(503);
      await mongo.restart();
      await pollUntil(
        'agents to be served',
        () => ready(gateway),
        ({ status }) => status === 'ok',
      );
      const stream = await RawAgent.connect(await gateway.agentPort(), agent);
      await stream.send(fileEvent('LATE', 'p'));
      await arrived(gateway, 'LATE', 1);
    }, 120_000);

    it('ends in order while it waits for MongoDB', async () => {
      await mongo.kill();
      const gateway = await start(false);
      expect(await gateway.stop()).toBe(0);
      expect(gateway.log()).not.toMatch(/Failed to stop|unexpected/i);
    }, 60_000);
  });
});
