import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { createTestCertificate } from '@app/pipeline/testing';
import { peerCertificateOf } from './peer-key.js';

const socketOf = (get: () => unknown): TLSSocket => ({ getPeerX509Certificate: get }) as TLSSocket;

describe('peerCertificateOf', () => {
  it('gives subject and end on one line', async () => {
    const { certPem } = await createTestCertificate({ commonName: 'FS-1, O=x', days: 10 });
    const certificate = peerCertificateOf(socketOf(() => new X509Certificate(certPem)));
    expect(certificate?.subject).toContain('CN=FS-1');
    expect(certificate?.subject).not.toContain('\n');
    expect(Math.abs((certificate?.notAfter ?? 0) - Date.now() - 10 * 86_400_000)).toBeLessThan(60_000);
  });

  it('shows nothing that could spoil a log, and no more than 256 characters', () => {
    const subject = `CN=a\u001b[31m\u202eb\nO=${'x'.repeat(300)}`;
    const certificate = peerCertificateOf(socketOf(() => ({ subject, validTo: 'never' })));
    expect(certificate?.subject).toMatch(/^CN=a \[31m b, O=x+$/);
    expect(certificate?.subject).toHaveLength(256);
    expect(certificate?.notAfter).toBeNull();
  });

  it('does without what it cannot read', () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    expect(peerCertificateOf(socketOf(broken))).toBeUndefined();
    expect(peerCertificateOf(socketOf(() => ({ validTo: 'x' })))?.subject).toBe('');
  });
});
