import { HandshakeTooLarge } from './handshake-guard.js';
import { HandshakeGaveWay, type TlsSide } from './handshake.js';
import { chainFaultOf } from './peer-chain.js';
import { peerKeyOf } from './peer-key.js';
import type { CloseReason } from './source-metrics.js';

/** Why a peer is not served after its handshake, or after what there was of it. */
export interface PeerRefusal {
  readonly reason: CloseReason;
  /** Whether the peer has broken a rule: its address is punished, unless the key is that of an agent. */
  readonly violation: boolean;
  /** The key that it has proved to hold, if it has proved one. */
  readonly spkiHash?: string;
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a handshake says of its peer: the key that it has proved to hold, or why it is not served. */
export function identifyPeer(
  tls: TlsSide,
  secured: boolean,
):
  | { readonly spkiHash: string; readonly refusal?: undefined }
  | { readonly spkiHash?: undefined; readonly refusal: PeerRefusal } {
  if (!secured) return { refusal: failedHandshake(tls.fault()) };
  const key = peerKeyOf(tls.socket);
  if (key.spkiHash !== undefined) {
    const { spkiHash, certificate } = key;
    const chainFault = chainFaultOf(certificate);
    if (chainFault === undefined) return { spkiHash };
    const fields = { spkiHash, reason: chainFault };
    const message = 'Client certificate refused';
    return { refusal: { reason: chainFault, violation: true, spkiHash, level: 'warn', message, fields } };
  }
  if (key.missing) {
    const message = 'Peer without a client certificate';
    return {
      refusal: { reason: 'no_client_certificate', violation: true, level: 'warn', message, fields: {} },
    };
  }
  const message = 'Client certificate has a key that cannot be read';
  const fields = { err: key.error };
  return {
    refusal: { reason: 'unreadable_client_certificate', violation: false, level: 'warn', message, fields },
  };
}

function failedHandshake(err: Error | undefined): PeerRefusal {
  const fields = { err };
  if (err instanceof HandshakeTooLarge) {
    const message = 'Peer sent too much before the end of its handshake';
    return { reason: 'handshake_too_large', violation: true, level: 'warn', message, fields };
  }
  const reason = err instanceof HandshakeGaveWay ? 'handshake_displaced' : 'handshake_failed';
  return { reason, violation: false, level: 'info', message: 'TLS handshake failed', fields };
}
