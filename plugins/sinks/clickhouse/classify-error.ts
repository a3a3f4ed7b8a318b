import { ClickHouseError } from '@clickhouse/client';
import { PartialWriteError, PermanentError, RetryableError, SinkError } from '@activity-gateway/pipeline/api';
import { RAISE_LIMIT } from './body-limit.js';
import { classOf, waitAfter } from './error-codes.js';
import { isTooLarge, UnexpectedAnswer } from './exchange.js';
import { failedView } from './views.js';

/** Failures of TLS that stay until somebody changes a certificate or the address. */
const TLS_CODE =
  /^(CERT_|ERR_TLS_CERT|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH)/;

/** Code of an insert that is refused for its size. */
export const BODY_TOO_LARGE = 'BODY_TOO_LARGE';

/** What a write was, for the sentence of an error and for its rows. */
export interface WriteContext {
  readonly table: string;
  /** Rows of the whole insert. */
  readonly rows: number;
  /** How many entries it has; one cannot be divided. */
  readonly entries: number;
  readonly aborted: boolean;
}

/**
 * Turns what an insert failed with into what the host acts on. Messages are for logs: they name codes and rows, and
 * never repeat ClickHouse's text of a row error, which quotes the values. The cause has it.
 */
export function classifyError(error: unknown, context: WriteContext): SinkError {
  if (error instanceof SinkError) return error;
  if (error instanceof ClickHouseError) return classifyCode(error, context);
  if (isTooLarge(error)) return classifySize(error, context);
  if (error instanceof UnexpectedAnswer) {
    const message = `The insert into ${context.table} got an answer that is not ClickHouse's (${error.detail})`;
    return new RetryableError(message, 'HTTP', 0, { cause: error });
  }
  if (context.aborted) {
    return new RetryableError(`The insert into ${context.table} was given up.`, 'ABORTED', 0, {
      cause: error,
    });
  }
  return classifyTransport(error, context);
}

/** Nothing of what is refused for its size reaches ClickHouse. */
function classifySize(error: UnexpectedAnswer, context: WriteContext): SinkError {
  const message = `The insert into ${context.table} is too large for something before ClickHouse (${error.detail})`;
  if (context.entries > 1) return partial(message, BODY_TOO_LARGE, [], error);
  return new PermanentError(`${message} and cannot be divided. ${RAISE_LIMIT}`, BODY_TOO_LARGE, {
    cause: error,
  });
}

function classifyCode(error: ClickHouseError, context: WriteContext): SinkError {
  const number = Number(error.code);
  const code = error.type === undefined ? error.code : `${error.code} ${error.type}`;
  const refused = `ClickHouse refused the insert into ${context.table}`;
  const options = { cause: error };
  const view = failedView(error);
  if (view !== undefined) {
    const message = `The insert into ${context.table} failed in its materialized view ${view.name} (${code})`;
    return new RetryableError(message, code, waitAfter(number), options);
  }
  const kind = classOf(number, error.message);
  if (kind === 'configuration') {
    return new PermanentError(`${refused}: ${firstSentence(error.message)}`, code, options);
  }
  if (kind === 'retry') {
    const message = `ClickHouse could not do the insert into ${context.table} (${code})`;
    return new RetryableError(message, code, waitAfter(number), options);
  }
  const row = kind === 'row' ? rowOf(error.message, context.rows) : undefined;
  return row === undefined
    ? unnamedRow(refused, code, error)
    : partial(`${refused} for row ${row} (${code})`, code, [row], error);
}

/** A refusal that names no row: any of them may be to blame. */
function unnamedRow(refused: string, code: string, error: ClickHouseError): PartialWriteError {
  const why = /partitions/i.test(error.message)
    ? 'for its many partitions'
    : 'for a row that it does not name';
  return partial(`${refused} ${why} (${code})`, code, [], error);
}

function partial(
  message: string,
  code: string,
  rejected: readonly number[],
  cause: unknown,
): PartialWriteError {
  return new PartialWriteError(message, code, rejected, { cause });
}

function classifyTransport(error: unknown, { table }: WriteContext): SinkError {
  const code = transportCode(error);
  const message = `The insert into ${table} got no answer from ClickHouse (${code})`;
  const options = { cause: error };
  return TLS_CODE.test(code)
    ? new PermanentError(`${message}: the TLS certificates do not fit`, code, options)
    : new RetryableError(message, code, 0, options);
}

function transportCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN';
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return typeof message === 'string' && /timeout/i.test(message) ? 'TIMEOUT' : 'UNKNOWN';
}

/** The row that a message names, from 0 over the whole insert: ClickHouse counts from 1. */
export function rowOf(message: string, rows: number): number | undefined {
  const named = /\bat row (\d+)/.exec(message)?.[1];
  const row = named === undefined ? -1 : Number(named) - 1;
  return row >= 0 && row < rows ? row : undefined;
}

/** Enough of a message to know the table, column or user that it is about. */
function firstSentence(message: string): string {
  const [sentence = ''] = message.split(/\.\s|\n/, 1);
  return sentence.replace(/\.$/, '').slice(0, 300);
}
