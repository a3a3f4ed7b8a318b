import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { fileEvent } from '../support/file-event.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { command, enroll, listener, storedAll } from '../support/listener-suite.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

interface Readiness {
  readonly components: { readonly listener: { readonly status: string; readonly reason?: string } };
}

/** The tests follow one gateway through the life of its certificate: each goes on where the one before has stopped. */
describe('the server certificate', () => {
  let dir: string;
  let gateway: TestGateway;
  let agent: AgentCredentials;
  let first: TestCertificate;
  let old: RawAgent;

  const install = async (pair: Pick<TestCertificate, 'certPem' | 'keyPem'>): Promise<void> => {
    for (const [name, text] of [
      ['server.key', pair.keyPem],
      ['server.crt', pair.certPem],
    ] as const) {
      await writeFile(join(dir, `${name}.part`), text);
      await rename(join(dir, `${name}.part`), join(dir, name));
    }
  };
  const shown = async (): Promise<string> => {
    const peer = await RawAgent.connect(await gateway.agentPort(), agent);
    const name = peer.socket.getPeerCertificate().subject.CN;
    peer.socket.destroy();
    return String(name);
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'certificates-'));
    await install(await createTestCertificate({ commonName: 'expired', days: -1 }));
    gateway = await startGateway({
      env: {
        ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
        SYSLOG_TLS_CERT_PATH: join(dir, 'server.crt'),
        SYSLOG_TLS_KEY_PATH: join(dir, 'server.key'),
      },
      waitReady: false,
    });
  }, 60_000);
  afterAll(async () => {
    await gateway?.dispose();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  it('lets the listener start when a good one comes', async () => {
    await pollUntil(
      'the reason',
      () => listener(gateway),
      ({ state, reason }) => state === 'failed' && reason?.includes('expired at') === true,
    );

    first = await createTestCertificate({ commonName: 'first', days: 20 });
    await install(first);
    await pollUntil(
      'the listener',
      () => listener(gateway),
      ({ state }) => state === 'listening',
    );
    expect(gateway.log()).toContain('Server certificate expires soon');
    const metrics = await (await fetch(`${gateway.httpUrl}/metrics`)).text();
    expect(Number(/^gateway_certificate_expires_days\{.*\} (.*)$/m.exec(metrics)?.[1])).toBeCloseTo(20, 1);
  }, 60_000);

  it('is renewed for new connections, and kept when the next is bad', async () => {
    agent = await enroll(gateway);
    old = await RawAgent.connect(await gateway.agentPort(), agent);
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
  }, 60_000);

  it('waits for a confirmation when its key is another', async () => {
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
  }, 60_000);
});
