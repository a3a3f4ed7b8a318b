/** What stands in a log line where a secret was given. */
export const REDACTED = '[redacted]';

const MAX_DEPTH = 5;
const MAX_CAUSES = 3;

/** Names whose values are never written, compared without case, `_` and `-`. */
const SECRET_NAMES = new Set([
  'apikey',
  'authorization',
  'code',
  'cookie',
  'enrollmentcode',
  'key',
  'passphrase',
  'password',
  'privatekey',
  'secret',
  'setcookie',
  'token',
]);

/**
 * Error and reject codes (`ECONNREFUSED`, `60 UNKNOWN_TABLE`, `missing_key`), which share the field name `code` with
 * enrollment codes. Those are 43 characters of base64url and do not look like this.
 */
const ERROR_CODE = /^(\d{1,5} )?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$|^[a-z]+(_[a-z]+)+$/;
const MAX_ERROR_CODE = 40;
const URL_CREDENTIALS = /(:\/\/)[^/@\s]+@/g;

/**
 * Fields of a log line made fit for writing: secrets by name and credentials in URLs replaced, errors as message and
 * code, big integers as text, nothing deeper than five levels. A second line of defence: callers give no secrets.
 * @param withStacks whether errors keep their stack traces
 */
export function loggableFields(fields: object, withStacks: boolean): Record<string, unknown> {
  return loggableObject(fields, withStacks, 0);
}

function loggableObject(fields: object, withStacks: boolean, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    result[name] = isSecret(name, value) ? REDACTED : loggable(value, withStacks, depth + 1);
  }
  return result;
}

function loggable(value: unknown, withStacks: boolean, depth: number): unknown {
  if (typeof value === 'string') return withoutCredentials(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return loggableError(value, withStacks, 0);
  if (depth > MAX_DEPTH) return '[nested too deep]';
  if (Array.isArray(value)) return value.map((item) => loggable(item, withStacks, depth + 1));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return loggableObject(mapEntries(value), withStacks, depth);
  if (value instanceof Set) return [...value].map((item) => loggable(item, withStacks, depth + 1));
  return loggableObject(value, withStacks, depth);
}

function mapEntries(map: ReadonlyMap<unknown, unknown>): object {
  return Object.fromEntries([...map].map(([name, value]) => [String(name), value]));
}

function loggableError(error: Error, withStacks: boolean, causes: number): Record<string, unknown> {
  const { code, hint, cause } = error as Error & { code?: unknown; hint?: unknown };
  const result: Record<string, unknown> = { message: withoutCredentials(messageOf(error)) };
  if (typeof code === 'string' || typeof code === 'number') result.code = code;
  if (typeof hint === 'string') result.hint = withoutCredentials(hint);
  if (cause instanceof Error && causes < MAX_CAUSES) {
    result.cause = loggableError(cause, withStacks, causes + 1);
  }
  if (withStacks && error.stack !== undefined) result.stack = withoutCredentials(error.stack);
  return result;
}

/** Node's AggregateError for a refused connection has an empty message of its own. */
function messageOf(error: Error): string {
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError) {
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
  }
  return error.name;
}

function isSecret(name: string, value: unknown): boolean {
  const plain = name.toLowerCase().replace(/[_-]/g, '');
  if (!SECRET_NAMES.has(plain) || value === undefined || value === null) return false;
  return !(plain === 'code' && isErrorCode(value));
}

function isErrorCode(value: unknown): boolean {
  if (typeof value === 'number') return true;
  return typeof value === 'string' && value.length <= MAX_ERROR_CODE && ERROR_CODE.test(value);
}

function withoutCredentials(text: string): string {
  return text.includes('@') ? text.replace(URL_CREDENTIALS, `$1${REDACTED}@`) : text;
}
