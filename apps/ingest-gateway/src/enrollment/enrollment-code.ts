import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const CODE_BYTES = 32;
const CODE = /^[A-Za-z0-9_-]{43}$/;

/** A new code: 32 random bytes, base64url. */
export function createCode(): string {
  return randomBytes(CODE_BYTES).toString('base64url');
}

/** Whether a text has the form of a code. */
export function isCode(text: string): boolean {
  return CODE.test(text);
}

/** What is stored of a code: SHA-256, 64 lower-case hex digits. 256 random bits need no slower hash. */
export function hashCode(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

/** Whether two hashes are the same, in a time that does not tell where they differ. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The text that administrators give to agents (`docs/PROTOCOL.md`, Enrollment). */
export function formatToken(code: string, serverSpkiHash: string): string {
  return `nam1.${code}.${serverSpkiHash}`;
}
