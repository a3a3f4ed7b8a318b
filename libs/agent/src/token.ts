import { GatewayError } from '@activity-gateway/pipeline/api';
import { isSpkiHash } from '@activity-gateway/activity';

/** What an enrollment token says: `nam1.<code>.<server spki hash>` (`docs/reference/protocol.md`, Enrollment). */
export interface EnrollmentToken {
  /** Sent to the gateway, and only after its key was found to be the right one. */
  readonly code: string;
  /** SHA-256 of the server's SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly serverSpki: string;
}

/** 32 bytes in base64url without padding. */
const CODE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Takes a token apart.
 * @throws GatewayError `AGENT_TOKEN_INVALID`, which part is wrong; never with the code itself in its text
 */
export function parseToken(text: string): EnrollmentToken {
  const parts = text.trim().split('.');
  if (parts[0] !== 'nam1') throw invalid('it does not begin with "nam1."');
  const [, code = '', serverSpki = ''] = parts;
  if (parts.length !== 3) throw invalid(`it has ${parts.length} parts, separated by dots, instead of 3`);
  if (!CODE.test(code)) throw invalid('its second part is not a code of 43 letters, digits, "-" and "_"');
  if (!isSpkiHash(serverSpki))
    throw invalid("its third part, the server's key, is not 64 lower-case hex digits");
  return { code, serverSpki };
}

function invalid(reason: string): GatewayError {
  return new GatewayError(
    'AGENT_TOKEN_INVALID',
    `The enrollment token cannot be used: ${reason}.`,
    'Copy the whole token, nam1.<code>.<64 hex digits>, as the gateway gave it.',
  );
}
