import { createHash, type X509Certificate } from 'node:crypto';

/**
 * What tells a key: the SHA-256 of its SubjectPublicKeyInfo in hexadecimal (RFC 7469 2.4), the same for every certificate
 * of the key.
 * @throws Error for a key that cannot be read
 */
export function publicKeyHash(certificate: X509Certificate): string {
  const info = certificate.publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(info).digest('hex');
}
