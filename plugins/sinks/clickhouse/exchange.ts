import { randomUUID } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { constants, gunzipSync } from 'node:zlib';
import {
  ClickHouseError,
  type ClickHouseSettings,
  type ExecParams,
  parseError,
  type ResponseHeaders,
} from '@clickhouse/client';
import { excerpt, readBody } from '@activity-gateway/pipeline/helpers';
import type { Connection } from './clients.js';

/** Of the answer to an insert: enough for any exception's code and its first sentences. */
const MAX_INSERT_ANSWER = 16 * 1024;
/** Of the answer to a question: a row for each entry of a batch, or for each column of the tables. */
const MAX_ROWS_ANSWER = 32 * 1024 * 1024;
/** Bytes of JSON for one byte of a block: a control character is escaped twice, and a dictionary holds a value once. */
const JSON_FACTOR = 16;

/**
 * Status and headers are the outcome, and the summary counts all rows: nothing is sent before the end of the query, so
 * that no error can follow a status 200.
 */
const SETTINGS: ClickHouseSettings = { wait_end_of_query: 1, send_progress_in_http_headers: 0 };

/** An answer that is not a whole one of a ClickHouse: what was asked may have happened, or not. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  /** @param detail status and first bytes, fit for logs */
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(`Not an answer of ClickHouse: ${detail}`);
  }
}

/** Statuses for a body, an address or headers that are too large; fewer entries make all of them smaller. */
const TOO_LARGE = [413, 414, 431];

/** Whether a request was refused for its size: the same in smaller parts may pass. */
export function isTooLarge(error: unknown): error is UnexpectedAnswer {
  return error instanceof UnexpectedAnswer && TOO_LARGE.includes(error.status);
}

/** Blocks on their way into a table. */
export interface InsertRequest {
  readonly statement: string;
  /** Blocks, in order. */
  readonly body: readonly Uint8Array[];
  readonly settings: ClickHouseSettings;
  /** Rows that the server has to account for. */
  readonly rows: number;
  /** The server runs one query under an id at a time. */
  readonly queryId?: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: ResponseHeaders;
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/**
 * Runs an insert. It has happened if, and only if, this resolves: status 200, an empty body, no exception, and a summary
 * that accounts for all rows. A page of a proxy has none, and neither has an insert whose body got lost on the way.
 * @throws ClickHouseError when ClickHouse says what is wrong, UnexpectedAnswer when the outcome is unknown, and what the
 *   client throws
 */
export async function runInsert(
  connection: Connection,
  { statement, body, settings, rows, queryId }: InsertRequest,
  signal: AbortSignal,
): Promise<void> {
  const values = Readable.from(body, { objectMode: false });
  const request = {
    query: statement,
    values,
    clickhouse_settings: { ...settings, ...SETTINGS },
    ...(queryId !== undefined && { query_id: queryId }),
  };
  const answer = await exchange(connection, request, MAX_INSERT_ANSWER, signal);
  const summary = summaryOf(answer);
  if (answer.bytes.length > 0 || summary === undefined) throw unexpected(answer);
  const seen = Math.max(Number(summary['read_rows']), Number(summary['written_rows']));
  if (!(seen >= rows)) throw unexpected(answer, `${rows} rows sent and ${seen} accounted for`);
}

/** What goes along with a query. */
export interface QueryOptions {
  /** Values of its `{name:Type}`. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly settings?: ClickHouseSettings;
  /** As in `InsertRequest`. */
  readonly queryId?: string | undefined;
}

/**
 * Rows of a query, as objects.
 * @throws as `runInsert`: a page of a proxy is not an answer without rows, and half of an answer is none either
 */
export async function askRows<Row>(
  connection: Connection,
  query: string,
  signal: AbortSignal,
  { params = {}, settings = {}, queryId }: QueryOptions = {},
): Promise<Row[]> {
  const request = {
    query: `${query} FORMAT JSON`,
    query_params: { ...params },
    clickhouse_settings: { ...settings, ...SETTINGS },
    ...(queryId !== undefined && { query_id: queryId }),
  };
  return rowsOfAnswer(await exchange(connection, request, MAX_ROWS_ANSWER, signal));
}

/** A question about blocks, which are sent along as an external table. */
export interface BlocksQuery {
  /** Reads from `table`. */
  readonly query: string;
  readonly table: string;
  /** Names and types of the columns. */
  readonly structure: string;
  readonly blocks: readonly Uint8Array[];
  readonly settings: ClickHouseSettings;
}

/** Rows of a query over blocks, as objects. @throws as `runInsert` */
export async function askBlocks<Row>(
  connection: Connection,
  { query, table, structure, blocks, settings }: BlocksQuery,
  signal: AbortSignal,
): Promise<Row[]> {
  const boundary = `blocks-${randomUUID()}`;
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="${table}"; filename="${table}"\r\n\r\n`;
  const body = [Buffer.from(head), ...blocks, Buffer.from(`\r\n--${boundary}--\r\n`)];
  const request = {
    query: `${query} FORMAT JSON`,
    values: Readable.from(body, { objectMode: false }),
    http_headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    // The table's parameters are settings to the client.
    clickhouse_settings: {
      ...settings,
      ...SETTINGS,
      [`${table}_format`]: 'Native',
      [`${table}_structure`]: structure,
    } as ClickHouseSettings,
  };
  const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
  return rowsOfAnswer(await exchange(connection, request, MAX_ROWS_ANSWER + JSON_FACTOR * bytes, signal));
}

function rowsOfAnswer<Row>(answer: Answer): Row[] {
  const found = summaryOf(answer) === undefined ? undefined : jsonOf(answer.bytes.toString());
  const data = found?.['data'];
  if (!answer.whole || !Array.isArray(data) || data.length !== found?.['rows']) throw unexpected(answer);
  return data as Row[];
}

/** One request and its answer; an error that ClickHouse names is thrown as such. */
async function exchange(
  { client, timeoutMs }: Connection,
  request: Pick<ExecParams, 'query' | 'query_id' | 'clickhouse_settings' | 'http_headers'> & {
    values?: Readable;
  },
  maxBytes: number,
  signal: AbortSignal,
): Promise<Answer> {
  const result = await client.exec({
    ...request,
    abort_signal: signal,
    ignore_error_response: true,
    decompress_response_stream: false,
  });
  const message = result.stream as IncomingMessage & { readonly req?: ClientRequest };
  // What breaks after the answer is no news, and must not end the process.
  message.req?.on('error', () => undefined);
  try {
    const { bytes, whole } = await readBody(message, { maxBytes, timeoutMs, signal });
    const headers = result.response_headers;
    const answer = { status: result.http_status_code ?? 0, headers, bytes: decode(bytes, headers), whole };
    if (answer.status !== 200) throw exceptionOf(answer) ?? unexpected(answer);
    if (headers['x-clickhouse-exception-code'] !== undefined) throw unexpected(answer);
    return answer;
  } finally {
    // Who answers before the end of the request may never read the rest: it must not keep the connection busy.
    if (message.req?.writableFinished === false) message.socket.destroy();
  }
}

/** ClickHouse's own error, by its text, or by the header when the text is cut off. */
function exceptionOf({ bytes, headers }: Answer): ClickHouseError | undefined {
  const error = parseError(bytes.toString());
  if (error instanceof ClickHouseError) return error;
  const code = headers['x-clickhouse-exception-code'];
  if (typeof code !== 'string' || !/^\d+$/.test(code)) return undefined;
  return new ClickHouseError({ code, message: error.message });
}

/** Status and first bytes; of an exception only its code, because its text quotes values of events. */
function unexpected(answer: Answer, why = saidBy(answer)): UnexpectedAnswer {
  const { status, whole } = answer;
  return new UnexpectedAnswer(status, `HTTP ${status}, ${why}${whole ? '' : ', cut off'}`);
}

function saidBy(answer: Answer): string {
  const text = excerpt(answer.bytes).replace(/DB::Exception.*$/s, 'DB::Exception …');
  if (text !== '') return `"${text}"`;
  return answer.status === 200 && summaryOf(answer) === undefined
    ? 'no valid X-ClickHouse-Summary header, which a proxy has to pass on'
    : 'no text';
}

function summaryOf({ headers }: Answer): Record<string, unknown> | undefined {
  const header = headers['x-clickhouse-summary'];
  return typeof header === 'string' ? jsonOf(header) : undefined;
}

function jsonOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Nobody asked for compression; a proxy may do it all the same, and people should see what its page says. */
function decode(bytes: Buffer, headers: ResponseHeaders): Buffer {
  if (headers['content-encoding'] !== 'gzip') return bytes;
  try {
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_ROWS_ANSWER });
  } catch {
    return bytes;
  }
}
