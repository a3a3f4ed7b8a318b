import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { SourceRig, until } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const EVENT = '{"ActivityType":"FileSystem","Path":"D:\\\\Üben\\\\ß.txt"}';

let server: TestCertificate;
let agent: TestCertificate;
let rig: SourceRig;

beforeAll(async () => {
  server = await createTestCertificate({ commonName: 'gateway' });
  agent = await createTestCertificate({ commonName: 'agent' });
});

beforeEach(async () => {
  rig = new SourceRig({
    server,
    agent,
    create: (context) => namTlsSource.create({ max_batch_events: 100 }, context),
  });
  await rig.start();
});

afterEach(() => rig.stop());

describe('handshake', () => {
  it('closes and bans a peer without a certificate', async () => {
    const client = await rig.connect({ cert: undefined, key: undefined });
    await client.closed;
    await rig.closed('no_client_certificate');
    expect(rig.bans()).toEqual(['no_client_certificate']);
  });

  it('refuses TLS 1.2, and bytes that are no TLS, without a ban', async () => {
    const client = await rig.connect({ maxVersion: 'TLSv1.2' });
    await client.closed;
    expect(client.error).toMatchObject({ code: expect.stringContaining('VERSION') });
    await rig.closed('handshake_failed');
    const raw = connectTcp(rig.port, '127.0.0.1', () => raw.write('GET / HTTP/1.1\r\n\r\n'));
    raw.on('error', () => undefined).resume();
    await once(raw, 'close');
    await until(() => rig.value('gateway_tls_handshakes_failed_total') === 2, 'both counted');
    expect(rig.bans()).toEqual([]);
  });

  it('cuts a handshake that takes too long', async () => {
    rig.settings({ firstMessageTimeoutMs: 200 });
    const raw = connectTcp(rig.port, '127.0.0.1');
    raw.on('error', () => undefined).resume();
    await once(raw, 'close');
    await rig.closed('handshake_timeout');
  });

  it('never resumes a session', async () => {
    rig.allow();
    const first = await rig.connect();
    let tickets = 0;
    let session: Buffer | undefined = first.socket.getSession();
    first.socket.on('session', (next: Buffer) => {
      tickets += 1;
      session = next;
    });
    first.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'event');
    first.socket.end();
    await first.closed;
    const second = await rig.connect({ session, cert: undefined, key: undefined });
    expect(second.socket.isSessionReused()).toBe(false);
    await second.closed;
    expect(rig.bans()).toEqual(['no_client_certificate']);
    expect(tickets).toBeLessThanOrEqual(2);
  });

  it('closes connections while there is no usable server certificate', async () => {
    rig.context.services.tlsIdentity.set({ cert: 'nonsense', key: 'nonsense' });
    await (
      await rig.connect()
    ).closed;
    await rig.closed('no_server_certificate');
  });

  it('uses a replaced server certificate for new connections', async () => {
    const next = await createTestCertificate({ commonName: 'next' });
    rig.context.services.tlsIdentity.set({ cert: next.certPem, key: next.keyPem });
    const { socket } = await rig.connect();
    expect(socket.getPeerCertificate().subject.CN).toBe('next');
  });
});
