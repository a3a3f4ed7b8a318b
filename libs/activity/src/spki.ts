import type { KeyObject } from 'node:crypto';

/** Identity of a peer: SHA-256 over the certificate's DER SubjectPublicKeyInfo (RFC 5280 4.1.2.7), 64 lower-case hex digits. */
export { publicKeyHash as spkiHash } from '@activity-gateway/pipeline/helpers';

/** Shortest modulus of an RSA key that is not weak, bits (NIST SP 800-57 part 1, table 2). */
const MIN_RSA_BITS = 2_048;
/** id-ecPublicKey in DER, after which a SEQUENCE instead of an OID holds explicit curve parameters (RFC 5480 2.1.1). */
const EXPLICIT_CURVE = Buffer.from('06072a8648ce3d020130', 'hex');

/** Why a public key must not identify anybody, as part of a sentence; `undefined` where nothing is wrong with it. */
export function keyWeakness(key: KeyObject): string | undefined {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS)
    return `the RSA key has ${bits} bits, at least ${MIN_RSA_BITS} are needed`;
  const spki = key.export({ type: 'spki', format: 'der' });
  // Within the AlgorithmIdentifier, which begins after two headers of at most 4 bytes each.
  const explicit = key.asymmetricKeyType === 'ec' && spki.subarray(0, 24).includes(EXPLICIT_CURVE);
  return explicit ? 'the key has explicit curve parameters, a named curve is needed' : undefined;
}

/** Whether a text has the form of an SPKI hash. */
export function isSpkiHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
