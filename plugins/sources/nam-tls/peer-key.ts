import type { TLSSocket } from 'node:tls';
import type { PeerCertificate } from '@app/pipeline/api';
import { spkiHash } from '@app/pipeline/helpers';

/** The key that a peer has proved to hold, or why there is none. */
export type PeerKey =
  | { readonly spkiHash: string }
  | { readonly spkiHash?: undefined; readonly missing: true }
  | { readonly spkiHash?: undefined; readonly missing: false; readonly error: unknown };

/** Reads the key of a peer after its handshake. Does not throw: what is in a certificate is the peer's choice. */
export function peerKeyOf(socket: TLSSocket): PeerKey {
  try {
    const certificate = socket.getPeerX509Certificate();
    return certificate === undefined ? { missing: true } : { spkiHash: spkiHash(certificate) };
  } catch (error) {
    return { missing: false, error };
  }
}

const MAX_SUBJECT = 256;
/** Control characters and line ends would go into logs and terminals. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** What operators are shown of a peer's certificate. Does not throw. */
export function peerCertificateOf(socket: TLSSocket): PeerCertificate | undefined {
  try {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    const notAfter = Date.parse(certificate.validTo);
    // One attribute a line; a certificate without a subject has none, whatever the types say.
    const subject = ((certificate.subject as string | undefined) ?? '').trim().replaceAll('\n', ', ');
    return {
      subject: subject.replaceAll(UNPRINTABLE, ' ').slice(0, MAX_SUBJECT),
      notAfter: Number.isNaN(notAfter) ? null : notAfter,
    };
  } catch {
    return undefined;
  }
}
