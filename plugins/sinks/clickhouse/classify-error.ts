import { ClickHouseError } from '@clickhouse/client';
import { PartialWriteError, PermanentError, RetryableError, SinkError } from '@app/pipeline/api';

/** What a code of ClickHouse means for a write of Native blocks. */
export type ErrorClass = 'configuration' | 'row' | 'retry';

/**
 * Codes whose class is not `retry` (`docs/COMPONENT_SPEC.md`). 117 is a column that the table does not have: with Native
 * the whole schema has drifted, and no row is to blame.
 */
const CLASSES: Readonly<Record<number, ErrorClass>> = {
  // The table, its columns and types, or the user's rights are not what the gateway needs.
  8: 'configuration', // THERE_IS_NO_COLUMN
  9: 'configuration', // SIZES_OF_COLUMNS_DOESNT_MATCH
  10: 'configuration', // NOT_FOUND_COLUMN_IN_BLOCK
  16: 'configuration', // NO_SUCH_COLUMN_IN_TABLE
  20: 'configuration', // NUMBER_OF_COLUMNS_DOESNT_MATCH
  36: 'configuration', // BAD_ARGUMENTS
  43: 'configuration', // ILLEGAL_TYPE_OF_ARGUMENT
  44: 'configuration', // ILLEGAL_COLUMN
  47: 'configuration', // UNKNOWN_IDENTIFIER
  48: 'configuration', // NOT_IMPLEMENTED
  50: 'configuration', // UNKNOWN_TYPE
  60: 'configuration', // UNKNOWN_TABLE
  62: 'configuration', // SYNTAX_ERROR
  73: 'configuration', // UNKNOWN_FORMAT
  80: 'configuration', // INCORRECT_QUERY
  81: 'configuration', // UNKNOWN_DATABASE
  115: 'configuration', // UNKNOWN_SETTING
  117: 'configuration', // INCORRECT_DATA
  164: 'configuration', // READONLY
  192: 'configuration', // UNKNOWN_USER
  193: 'configuration', // WRONG_PASSWORD
  194: 'configuration', // REQUIRED_PASSWORD
  195: 'configuration', // IP_ADDRESS_NOT_ALLOWED
  291: 'configuration', // DATABASE_ACCESS_DENIED
  452: 'configuration', // SETTING_CONSTRAINT_VIOLATION
  497: 'configuration', // ACCESS_DENIED
  516: 'configuration', // AUTHENTICATION_FAILED
  // A value that the table does not take.
  6: 'row', // CANNOT_PARSE_TEXT
  26: 'row', // CANNOT_PARSE_QUOTED_STRING
  27: 'row', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  38: 'row', // CANNOT_PARSE_DATE
  41: 'row', // CANNOT_PARSE_DATETIME
  53: 'row', // TYPE_MISMATCH
  69: 'row', // ARGUMENT_OUT_OF_BOUND
  70: 'row', // CANNOT_CONVERT_TYPE
  72: 'row', // CANNOT_PARSE_NUMBER
  131: 'row', // TOO_LARGE_STRING_SIZE
  321: 'row', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  349: 'row', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  407: 'row', // DECIMAL_OVERFLOW
  469: 'row', // VIOLATED_CONSTRAINT
  675: 'row', // CANNOT_PARSE_IPV4
  676: 'row', // CANNOT_PARSE_IPV6
  691: 'row', // UNKNOWN_ELEMENT_OF_ENUM
};

/** Codes after which an immediate retry makes matters worse: the least wait in ms. */
const WAITS: Readonly<Record<number, number>> = {
  202: 1_000, // TOO_MANY_SIMULTANEOUS_QUERIES
  241: 5_000, // MEMORY_LIMIT_EXCEEDED
  242: 5_000, // TABLE_IS_READ_ONLY
  243: 10_000, // NOT_ENOUGH_SPACE
  252: 5_000, // TOO_MANY_PARTS
};

/** Failures of TLS that stay until somebody changes a certificate or the address. */
const TLS_CODE =
  /^(CERT_|ERR_TLS_CERT|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|HOSTNAME_MISMATCH)/;

/** What a write was, for the sentence of an error and for its rows. */
export interface WriteContext {
  readonly table: string;
  /** Rows of the whole insert. */
  readonly rows: number;
  readonly aborted: boolean;
}

/** Class of one of ClickHouse's error codes; an unknown one is worth another try. */
export function classOf(code: number): ErrorClass {
  return CLASSES[code] ?? 'retry';
}

/**
 * Turns what an insert failed with into what the host acts on. Messages are for logs: they name codes and rows, and
 * never repeat ClickHouse's text of a row error, which quotes the values. The cause has it.
 */
export function classifyError(error: unknown, context: WriteContext): SinkError {
  if (error instanceof SinkError) return error;
  if (error instanceof ClickHouseError) return classifyCode(error, context);
  if (context.aborted) {
    return new RetryableError(`The insert into ${context.table} was given up.`, 'ABORTED', 0, {
      cause: error,
    });
  }
  return classifyTransport(error, context);
}

function classifyCode(error: ClickHouseError, context: WriteContext): SinkError {
  const number = Number(error.code);
  const code = error.type === undefined ? error.code : `${error.code} ${error.type}`;
  const refused = `ClickHouse refused the insert into ${context.table}`;
  const options = { cause: error };
  const kind = classOf(number);
  if (kind === 'configuration') {
    return new PermanentError(`${refused}: ${firstSentence(error.message)}`, code, options);
  }
  if (kind === 'retry') {
    const message = `ClickHouse could not do the insert into ${context.table} (${code})`;
    return new RetryableError(message, code, WAITS[number] ?? 0, options);
  }
  const row = rowOf(error.message, context.rows);
  if (row === undefined) {
    return new PermanentError(
      `${refused} for the values of a row that it does not name (${code})`,
      code,
      options,
    );
  }
  const retry = Array.from({ length: context.rows }, (_, index) => index).filter((index) => index !== row);
  return new PartialWriteError(`${refused} for row ${row} (${code})`, code, [row], retry, options);
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
  if (typeof message === 'string' && /timeout/i.test(message)) return 'TIMEOUT';
  // What is not ClickHouse's own text comes from something between: a proxy's page, an empty answer.
  return 'HTTP';
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
