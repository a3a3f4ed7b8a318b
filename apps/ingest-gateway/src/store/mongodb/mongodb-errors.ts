import { MongoError, MongoServerError } from 'mongodb';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { OperationTimeout } from './deadline.js';

/** Of a document whose unique key is taken. */
const DUPLICATE_KEY = 11_000;
/** From the server: it is no primary, it shuts down, it was interrupted. */
const NOT_SERVING = new Set([91, 189, 10_107, 11_600, 11_602, 13_435, 13_436]);
const MAX_REASON = 200;

/** Whether the server says that a unique key is taken. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** Whether an error says that the server is not there, other than that it refuses one operation. */
export function isConnectivity(error: unknown): boolean {
  if (error instanceof MongoServerError) return NOT_SERVING.has(Number(error.code));
  return error instanceof MongoError || error instanceof OperationTimeout;
}

/**
 * Why an operation failed, for operators: no user, no password, no address with them, and nothing of the documents, which
 * servers repeat in their messages.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof GatewayError) return [error.message, error.hint].join(' ').replace(/\.$/, '');
  if (error instanceof MongoServerError) return `it answers ${nameOf(error)}`;
  const text = error instanceof Error ? error.message : String(error);
  return withoutUser(text).replace(/\s+/g, ' ').slice(0, MAX_REASON);
}

/** Takes user and password out of every URI in a text. */
function withoutUser(text: string): string {
  return text.replace(/\/\/\S*@/g, '//');
}

function nameOf({ codeName, code }: MongoServerError): string {
  return [codeName, code === undefined ? undefined : `(${code})`].filter(Boolean).join(' ') || 'an error';
}
