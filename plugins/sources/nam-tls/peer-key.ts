import type { TLSSocket } from 'node:tls';
import { keyWeakness, type AgentReport } from '@activity-gateway/activity';

/** Why the peer's key may not enroll, as part of a sentence; `undefined` where it may. Does not throw. */
export function weaknessOf(socket: TLSSocket): string | undefined {
  try {
    const certificate = socket.getPeerX509Certificate();
    return certificate && keyWeakness(certificate.publicKey);
  } catch {
    return 'the key cannot be read';
  }
}

/** Longest subject that is passed on, in characters: the peer may write anything. */
const MAX_SUBJECT = 256;

/** What a peer's certificate says of itself. Does not throw; `undefined` where it says nothing that can be read. */
export function certificateOf(socket: TLSSocket): AgentReport['certificate'] {
  try {
    const certificate = socket.getPeerX509Certificate();
    const notAfter = Date.parse(certificate?.validTo ?? '');
    if (certificate === undefined || Number.isNaN(notAfter)) return undefined;
    const subject = certificate.subject.replaceAll('\n', ', ').slice(0, MAX_SUBJECT);
    const weakness = keyWeakness(certificate.publicKey);
    return { subject, notAfter, ...(weakness !== undefined && { weakness }) };
  } catch {
    return undefined;
  }
}
