import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { createTestCertificate } from './index.js';

describe('createTestCertificate', () => {
  it('makes certificates that both sides of a TLS 1.3 connection can use', async () => {
    const [server, client] = await Promise.all([
      createTestCertificate({ commonName: 'gateway' }),
      createTestCertificate({ commonName: 'FS-AGENT-01' }),
    ]);
    const listener = tls.createServer({
      cert: server.certPem,
      key: server.keyPem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      cert: client.certPem,
      key: client.keyPem,
      rejectUnauthorized: false,
    });
    const [peer] = (await once(listener, 'secureConnection')) as [tls.TLSSocket];
    expect(peer.getPeerX509Certificate()?.subject).toBe('CN=FS-AGENT-01');
    peer.destroy();
    socket.destroy();
    listener.close();
    await once(listener, 'close');
  });

  it('keeps the hash when the same keys are certified again, and can make an expired certificate', async () => {
    const first = await createTestCertificate({ commonName: 'a' });
    const renewed = await createTestCertificate({ commonName: 'a', keys: first.keys, days: -1 });
    expect(renewed.certPem).not.toBe(first.certPem);
    expect(renewed.spkiHash).toBe(first.spkiHash);
    expect(new Date(new X509Certificate(renewed.certPem).validTo).getTime()).toBeLessThan(Date.now());
  });
});
