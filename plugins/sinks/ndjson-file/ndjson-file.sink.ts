import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GatewayError,
  RetryableError,
  type Block,
  type EncodedEntry,
  type EventType,
  type PluginContext,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeOnly } from '@activity-gateway/pipeline/helpers';
import { AppendFile } from './append-file.js';
import { classifyFileError } from './classify-error.js';
import type { NdjsonFileConfig } from './config.js';
import { cutTornLine } from './cut-torn-line.js';
import { encodeNdjson } from './encode.js';

/** Appends records to `<directory>/<event type>.ndjson`. */
export class NdjsonFileSink implements Sink {
  readonly #files = new Map<string, AppendFile>();
  #stopped = false;

  constructor(
    private readonly config: NdjsonFileConfig,
    private readonly context: PluginContext,
  ) {}

  /** @throws GatewayError `NDJSON_DIRECTORY_UNUSABLE` */
  async start(): Promise<void> {
    try {
      await mkdir(this.config.directory, { recursive: true });
      for (const { name } of this.context.eventTypes) await this.#mend(name);
    } catch (cause) {
      throw unusable(this.config.directory, cause);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => file.close()));
  }

  /** @throws GatewayError `NDJSON_DIRECTORY_UNUSABLE` */
  async check(): Promise<void> {
    try {
      await mkdir(this.config.directory, { recursive: true });
      await access(this.config.directory, constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw unusable(this.config.directory, cause);
    }
  }

  open(type: EventType): Block {
    return encodeOnly(type.name, encodeNdjson);
  }

  /** @throws RetryableError | PermanentError, with nothing of the entries left in the file */
  async write(entries: readonly EncodedEntry[], _token: string, signal: AbortSignal): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    if (this.#stopped) throw new RetryableError('The sink is stopped.', 'STOPPED');
    const path = this.#path(first.destination);
    const buffers = entries.map(({ bytes }) => bytes);
    try {
      await this.#file(first.destination).append(buffers, signal);
    } catch (error) {
      if (signal.aborted) throw new RetryableError('The write was given up before it began.', 'ABORTED');
      throw classifyFileError(error, path);
    }
  }

  async #mend(name: string): Promise<void> {
    const path = this.#path(name);
    const bytes = await cutTornLine(path);
    if (bytes > 0) this.context.logger.warn({ path, bytes }, 'Removed a line that a crash left unfinished');
  }

  #file(name: string): AppendFile {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = new AppendFile(this.#path(name), this.config.fsync);
      this.#files.set(name, file);
    }
    return file;
  }

  #path(name: string): string {
    return join(this.config.directory, `${name}.ndjson`);
  }
}

function unusable(directory: string, cause: unknown): GatewayError {
  const code = (cause as Partial<NodeJS.ErrnoException> | undefined)?.code ?? 'UNKNOWN';
  return new GatewayError(
    'NDJSON_DIRECTORY_UNUSABLE',
    `The directory ${directory} cannot be used (${code}).`,
    'Give the gateway the right to write there, or set another directory.',
    { cause },
  );
}
