import { createHash, type X509Certificate } from 'node:crypto';

/** Identity of a peer: SHA-256 over the certificate's DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7), 64 lower-case hex digits. */
export function spkiHash(certificate: X509Certificate): string {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}

/** Whether a text has the form of an SPKI hash. */
export function isSpkiHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
