import type { TLSSocket } from 'node:tls';
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
