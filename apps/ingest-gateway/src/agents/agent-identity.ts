import { isSpkiHash } from '@app/pipeline/helpers';
import { GatewayError } from '@app/pipeline/api';

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

/** A name without blanks and control characters, of at most 255 characters: DNS, NetBIOS and cluster names all fit. */
const HOSTNAME = /^[^\s\p{C}]{1,255}$/u;

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
    'Use 1 to 255 characters without blanks and control characters.',
  );
}
