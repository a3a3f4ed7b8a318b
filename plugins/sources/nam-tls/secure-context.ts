import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsIdentity } from '@app/pipeline/api';

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
