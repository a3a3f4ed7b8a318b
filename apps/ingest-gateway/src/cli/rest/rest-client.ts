import { readFile } from 'node:fs/promises';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type { RestOptions } from './rest-options.js';

/** A replay may take long; everything else answers soon. */
const TIMEOUT_MS = 30_000;
/** One word of printable ASCII, as the configuration wants it. */
const KEY = /^[\x21-\x7e]{1,1024}$/;

/** The REST API of a gateway, for the command line. */
export class RestClient {
  constructor(private readonly options: RestOptions) {}

  /** The answer as JSON. @throws GatewayError `CLI_REQUEST_FAILED`, `CLI_KEY_UNREADABLE` */
  async json<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const response = await this.#request('GET', path, query, undefined, AbortSignal.timeout(TIMEOUT_MS));
    return (await response.json()) as T;
  }

  /** As `json`, for what may take long. */
  async post<T>(path: string, body?: object): Promise<T> {
    const response = await this.#request('POST', path, {}, body && JSON.stringify(body));
    return (await response.json()) as T;
  }

  /** The answer as bytes, as they come. @throws as `json`; reading fails when the connection breaks */
  async stream(path: string, query: Readonly<Record<string, string>>): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#request('GET', path, query);
    if (body !== null) return body;
    throw new GatewayError('CLI_REQUEST_FAILED', `GET ${path} has answered nothing.`);
  }

  async #request(
    method: string,
    path: string,
    query: Readonly<Record<string, string>>,
    body?: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const { url } = this.options;
    const authorization = `Bearer ${await this.#key()}`;
    const search = new URLSearchParams(query).toString();
    const response = await fetch(`${url}${path}${search === '' ? '' : `?${search}`}`, {
      method,
      headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    }).catch((error: unknown) => {
      throw unreachable(url, error as Error);
    });
    if (response.ok) return response;
    throw refused(response.status, await response.text());
  }

  async #key(): Promise<string> {
    const { key } = this.options;
    const text = 'text' in key ? key.text : await readKeyFile(key.file);
    // What is no key must not get into a header, whose errors would print it.
    if (KEY.test(text)) return text;
    const where = 'text' in key ? 'ADMIN_API_KEY' : key.file;
    throw new GatewayError('CLI_KEY_UNREADABLE', `${where} holds no admin key.`);
  }
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new GatewayError(
      'CLI_KEY_UNREADABLE',
      `The admin key cannot be read: ${(error as Error).message}`,
      'Name its file with --key-file, or set ADMIN_API_KEY.',
    );
  }
}

function unreachable(url: string, error: Error): GatewayError {
  const why =
    error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
  return new GatewayError(
    'CLI_REQUEST_FAILED',
    `The gateway at ${url} does not answer: ${why}.`,
    'Name its address with --url.',
  );
}

/** What a gateway refuses comes as a problem (RFC 9457); what stands before it may say anything. */
function refused(status: number, text: string): GatewayError {
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown };
    if (typeof code === 'string' && typeof detail === 'string') return new GatewayError(code, detail);
  } catch {
    // Said below.
  }
  return new GatewayError(
    'CLI_REQUEST_FAILED',
    `The answer has the status ${status} and is none of a gateway.`,
  );
}
