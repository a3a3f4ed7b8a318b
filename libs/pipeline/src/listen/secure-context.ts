import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsIdentity } from './connection-feed.js';

/**
 * Groups of the key exchange. OpenSSL would offer finite fields up to ffdhe8192 besides: one exchange takes 120 ms, and
 * costs a peer nothing, which can replay its first message.
 */
const GROUPS = ['X25519', 'P-256', 'P-384'];

/** What a peer may sign the handshake with, by the kind of its key (RFC 8446 4.2.3). */
const SIGNATURE_ALGORITHMS = [
  'ed25519',
  'ed448',
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
];

/**
 * The suites of TLS 1.3, and OpenSSL's security level. The level differs between versions of Node; 0 lets weak keys
 * finish the handshake everywhere, so that a source can refuse them with a reason.
 */
const CIPHERS =
  'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:DEFAULT@SECLEVEL=0';

/**
 * Makes the TLS context of a server certificate: TLS 1.3 only, and no session tickets. A resumed session would show
 * the certificate of an earlier handshake, also for a peer that presents none now.
 * @throws Error when OpenSSL does not take the certificate or the key
 */
export function secureContextOf(identity: TlsIdentity): SecureContext {
  return createSecureContext({
    cert: identity.cert,
    key: identity.key,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    ecdhCurve: GROUPS.join(':'),
    sigalgs: SIGNATURE_ALGORITHMS.join(':'),
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
}

/** Keeps the context of the newest identity, so that it is made once and not for each connection. */
export class SecureContextCache {
  #identity: TlsIdentity | undefined;
  #context: SecureContext | undefined;

  /** @throws Error when OpenSSL does not take the certificate or the key */
  get(identity: TlsIdentity): SecureContext {
    if (this.#context === undefined || this.#identity !== identity) {
      this.#context = secureContextOf(identity);
      this.#identity = identity;
    }
    return this.#context;
  }
}
