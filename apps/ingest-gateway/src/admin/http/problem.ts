import { STATUS_CODES } from 'node:http';
import { GatewayError } from '@activity-gateway/pipeline/api';

/** The one shape of every error answer (RFC 9457). */
export interface Problem {
  /** URN of the kind of problem, made of its code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What was wrong and, where it is known, what would be right. */
  readonly detail: string;
  /** Path of the request. */
  readonly instance: string;
  /** From `docs/reference/errors.md`: stable, for programs. */
  readonly code: string;
}

/** Media type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Statuses of errors that users may see; others are the gateway's own fault. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  BAD_REQUEST: 400,
  SPKI_HASH_INVALID: 400,
  HOSTNAME_INVALID: 400,
  IP_INVALID: 400,
  AGENT_UNKNOWN: 404,
  API_KEY_UNKNOWN: 404,
  BAN_UNKNOWN: 404,
  DEAD_LETTER_UNKNOWN: 404,
  SETTING_UNKNOWN: 404,
  TOKEN_UNKNOWN: 404,
  INGESTION_DISABLED: 409,
  CERTIFICATE_UNCHANGED: 409,
  AGENT_DENIED: 409,
  AGENT_NOT_DENIED: 409,
  LISTENER_BIND_FAILED: 409,
  SETTING_INVALID: 422,
  REPLAY_RUNNING: 409,
  RETENTION_UNSAFE: 409,
  CLICKHOUSE_UNAVAILABLE: 503,
  LISTENER_NOT_READY: 503,
  REPLAY_UNAVAILABLE: 503,
  STORE_UNAVAILABLE: 503,
};

/** Makes a problem; the title is the status's own phrase. */
export function createProblem(status: number, code: string, detail: string, url: string): Problem {
  return {
    type: `urn:gateway:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    instance: pathOf(url),
    code,
  };
}

/** A problem for an error that users may see. */
export function problemOf(error: GatewayError, url: string): Problem {
  const detail = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return createProblem(STATUS_BY_CODE[error.code] ?? 500, error.code, detail, url);
}

/** Status of a code: of one of ours, or of one that stands for a status itself; 500 for any other. */
export function statusOfCode(code: string): number {
  const known = STATUS_BY_CODE[code];
  if (known !== undefined) return known;
  return Number(Object.keys(STATUS_CODES).find((status) => codeOfStatus(Number(status)) === code) ?? 500);
}

/** Code for a status that the HTTP server itself answers with, such as `PAYLOAD_TOO_LARGE`. */
export function codeOfStatus(status: number): string {
  return (STATUS_CODES[status] ?? 'ERROR').toUpperCase().replace(/[^A-Z]+/g, '_');
}

/** The path without the query, which may hold names of people. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
