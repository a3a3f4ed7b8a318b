import { isSpkiHash } from '@activity-gateway/activity';
import { GatewayError } from '@activity-gateway/pipeline/api';

const HASH_HINT = 'An SPKI hash is the SHA-256 of the public key (DER SubjectPublicKeyInfo), 64 hex digits.';

/**
 * The hash as agents are known by: lower case.
 * @throws GatewayError `SPKI_HASH_INVALID`
 */
export function parseSpkiHash(text: string): string {
  const hash = text.toLowerCase();
  if (isSpkiHash(hash)) return hash;
  throw new GatewayError('SPKI_HASH_INVALID', 'This is not an SPKI hash.', HASH_HINT);
}

/** Names of DNS (RFC 1035 2.3.4), NetBIOS and clusters; the same rule as for an EnrollmentRequest (`docs/reference/protocol.md`). */
const HOSTNAME = /^[A-Za-z0-9._-]{1,253}$/;

/** Whether a text can stand for a host in lists and tables. */
export function isHostname(text: string): boolean {
  return HOSTNAME.test(text);
}

/** @throws GatewayError `HOSTNAME_INVALID` */
export function parseHostname(text: string): string {
  if (isHostname(text)) return text;
  throw new GatewayError(
    'HOSTNAME_INVALID',
    'This is not a hostname.',
    'Use 1 to 253 of the letters A to Z and a to z, digits, ".", "-" and "_".',
  );
}
