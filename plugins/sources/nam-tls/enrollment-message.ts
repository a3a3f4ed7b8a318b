import type { EnrollmentOutcome } from '@activity-gateway/activity';
import { endOfString } from '@activity-gateway/pipeline/helpers';

/** What an EnrollmentRequest says, its form checked. */
export interface EnrollmentFields {
  readonly code: string;
  readonly hostname: string;
  readonly agentVersion?: string;
}

/** The request's fields, or one sentence about what is wrong with its form; the sentence shows no value. */
export type EnrollmentReading =
  | { readonly fields: EnrollmentFields; readonly problem?: undefined }
  | { readonly problem: string; readonly fields?: undefined };

type Answered = Exclude<EnrollmentOutcome, { status: 'Unavailable' }>;

const MAX_CODE = 512;
/** Names of DNS (RFC 1035 2.3.4), NetBIOS and clusters; the same rule as the allowlist's. */
const HOSTNAME = /^[A-Za-z0-9._-]{1,253}$/;
const MAX_VERSION = 64;
/** Control characters would go into logs, tables and terminals. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Checks the form of an EnrollmentRequest (`docs/reference/protocol.md`, Enrollment). Unknown keys are allowed. */
export function readEnrollment(value: Readonly<Record<string, unknown>>): EnrollmentReading {
  const { EnrollmentCode: code, AgentHost: hostname, AgentVersion: version } = value;
  if (!isText(code, MAX_CODE)) return { problem: textProblem('EnrollmentCode', MAX_CODE) };
  if (typeof hostname !== 'string' || !HOSTNAME.test(hostname)) {
    return {
      problem: 'AgentHost must be 1 to 253 of the letters A to Z and a to z, digits, ".", "-" and "_".',
    };
  }
  if (version === undefined || version === null || version === '') return { fields: { code, hostname } };
  if (!isText(version, MAX_VERSION)) return { problem: textProblem('AgentVersion', MAX_VERSION) };
  return { fields: { code, hostname, agentVersion: version } };
}

/** The one line that answers a request, with its line end. */
export function enrollmentResponse(outcome: Answered, spkiHash: string): string {
  const head = { MessageType: 'EnrollmentResponse', Status: outcome.status };
  const body =
    outcome.status === 'Enrolled'
      ? { ...head, SpkiHash: spkiHash }
      : { ...head, Error: outcome.error, Message: outcome.message };
  return `${JSON.stringify(body)}\n`;
}

/** Why a rejection bans the sender: bounded codes for logs and metrics. */
export function banReasonOf(error: Extract<Answered, { status: 'Rejected' }>['error']): string {
  const reasons = {
    InvalidCode: 'invalid_enrollment_code',
    ExpiredCode: 'expired_enrollment_code',
    MalformedRequest: 'malformed_enrollment_request',
  } as const;
  return reasons[error];
}

const QUOTE = 0x22;
/** Bytes that follow a number, a literal or a word without quotes. */
const ENDS_SCALAR: ReadonlySet<number> = new Set(Buffer.from(' \t\r\n,[]{}"'));

/** The key of the code in a JSON text, with its colon; any of its letters may be escaped. */
const CODE_KEY = new RegExp(`"${[...'EnrollmentCode'].map(letterPattern).join('')}"\\s*:\\s*`, 'g');
const REDACTED = '"[redacted]"';
/** A line with more codes than this is nobody's mistake: the rest of it is left out. */
const MAX_CODES = 1_000;

/**
 * A line as it may go to the dead letters: without the codes that admit agents, wherever in it they are and whether or not
 * it is JSON to its end. Does not throw.
 */
export function withoutCode(raw: Buffer): Buffer {
  const text = raw.toString('latin1');
  const kept: string[] = [];
  let from = 0;
  for (const { index, 0: key } of text.matchAll(CODE_KEY)) {
    const start = index + key.length;
    const end = endOfValue(raw, start);
    if (index < from || end === start) continue;
    kept.push(text.slice(from, start), REDACTED);
    from = end;
    if (kept.length < 2 * MAX_CODES) continue;
    kept.push(`[${raw.length - from} bytes left out]`);
    from = raw.length;
    break;
  }
  return from === 0 ? raw : Buffer.from(kept.join('') + text.slice(from), 'latin1');
}

/** Where the string or the other scalar ends that begins at a place. */
function endOfValue(raw: Buffer, start: number): number {
  if (raw[start] === QUOTE) return endOfString(raw, start + 1, raw.length);
  let at = start;
  while (at < raw.length && !ENDS_SCALAR.has(raw[at] ?? 0)) at += 1;
  return at;
}

function letterPattern(letter: string): string {
  const [high, low] = letter.charCodeAt(0).toString(16);
  return `(?:${letter}|\\\\u00${high}[${low}${low?.toUpperCase()}])`;
}

function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max && !UNPRINTABLE.test(value);
}

function textProblem(key: string, max: number): string {
  return `${key} must be a printable string of 1 to ${max} characters.`;
}
