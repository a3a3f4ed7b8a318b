import type { X509Certificate } from 'node:crypto';
import type { HandshakeFault } from '../api/index.js';

/** Certificates that a peer may link: its own, an intermediate one, and a root. */
const MAX_CHAIN = 3;
/** Modulus of an RSA key, bits. */
const MAX_RSA_BITS = 4_096;

/** What in a peer's chain nobody needs, and the gateway pays for. */
export type ChainFault = Extract<HandshakeFault, 'certificate_chain_too_long' | 'rsa_key_too_large'>;

/**
 * Looks for what makes a chain dear to verify. It can only be seen after the handshake, when it is paid for: what it is
 * good for is that the peer does not come again. Does not throw: what is in a certificate is the peer's choice.
 * @param certificate the peer's own; `issuerCertificate` leads to what else it sent, in the order of sending
 */
export function chainFaultOf(certificate: X509Certificate): ChainFault | undefined {
  let sent = sentAfter(certificate);
  let last: X509Certificate | undefined = certificate;
  for (let linked = 1; last !== undefined; linked += 1) {
    if (linked > MAX_CHAIN) return 'certificate_chain_too_long';
    if (rsaBits(last) > MAX_RSA_BITS) return 'rsa_key_too_large';
    const subject: X509Certificate = last;
    last = sent.find((other) => other.subject === subject.issuer);
    sent = sent.filter((other) => other !== last);
  }
  return undefined;
}

function sentAfter(certificate: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = [];
  for (let next = certificate.issuerCertificate; next !== undefined; next = next.issuerCertificate)
    sent.push(next);
  return sent;
}

/** Bits of an RSA key's modulus; 0 for other keys and for one that cannot be read. */
function rsaBits(certificate: X509Certificate): number {
  try {
    return certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  } catch {
    return 0;
  }
}
