import type { HandshakeRefusal, PeerProof } from '../api/index.js';
import { publicKeyHash } from '../helpers/index.js';
import { HandshakeTooLarge } from './handshake-guard.js';
import { HandshakeGaveWay, type TlsSide } from './handshake.js';
import { chainFaultOf } from './peer-chain.js';

/**
 * What a handshake says of its peer, with the certificates that came with it (`issuerCertificate`), which Node gives only
 * once. Does not throw: what is in a certificate is the peer's choice.
 */
export function proofOf(tls: TlsSide, secured: boolean): PeerProof {
  if (!secured) return { refusal: failedHandshake(tls.fault()) };
  try {
    const certificate = tls.socket.getPeerX509Certificate();
    if (certificate === undefined) return { refusal: WITHOUT_CERTIFICATE };
    const key = publicKeyHash(certificate);
    const reason = chainFaultOf(certificate);
    if (reason === undefined) return { key };
    const message = 'Client certificate refused';
    return { key, refusal: { reason, violation: true, level: 'warn', message, fields: { reason } } };
  } catch (error) {
    return { refusal: unreadable(error) };
  }
}

const WITHOUT_CERTIFICATE: HandshakeRefusal = {
  reason: 'no_client_certificate',
  violation: true,
  level: 'warn',
  message: 'Peer without a client certificate',
  fields: {},
};

function unreadable(err: unknown): HandshakeRefusal {
  const message = 'Client certificate has a key that cannot be read';
  return {
    reason: 'unreadable_client_certificate',
    violation: false,
    level: 'warn',
    message,
    fields: { err },
  };
}

function failedHandshake(err: Error | undefined): HandshakeRefusal {
  const fields = { err };
  if (err instanceof HandshakeTooLarge) {
    const message = 'Peer sent too much before the end of its handshake';
    return { reason: 'handshake_too_large', violation: true, level: 'warn', message, fields };
  }
  const reason = err instanceof HandshakeGaveWay ? 'handshake_displaced' : 'handshake_failed';
  return { reason, violation: false, level: 'info', message: 'TLS handshake failed', fields };
}
