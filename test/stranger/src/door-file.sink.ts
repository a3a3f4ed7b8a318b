import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  API_VERSION,
  definePlugin,
  PermanentError,
  RetryableError,
  type Block,
  type EncodedEntry,
  type EventType,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeOnly } from '@activity-gateway/pipeline/helpers';

interface DoorFileConfig {
  readonly directory: string;
}

/** Writes each batch into a file named by its token, so that a repeated write changes nothing. */
class DoorFileSink implements Sink {
  constructor(private readonly config: DoorFileConfig) {}

  open(type: EventType): Block {
    return encodeOnly(type.name, ({ records }) =>
      Buffer.from(records.map((record) => `${JSON.stringify(record, plain)}\n`).join('')),
    );
  }

  async write(entries: readonly EncodedEntry[], token: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new RetryableError('The write was aborted.', 'ABORTED');
    const directory = join(this.config.directory, entries[0]?.destination ?? '');
    const name = createHash('sha256').update(token).digest('hex');
    try {
      await mkdir(directory, { recursive: true });
    } catch (cause) {
      throw new PermanentError(`There can be no directory ${directory}.`, 'NO_DIRECTORY', { cause });
    }
    await writeFile(join(directory, `.${name}`), Buffer.concat(entries.map(({ bytes }) => bytes)));
    await rename(join(directory, `.${name}`), join(directory, `${name}.ndjson`));
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map ? Object.fromEntries(value) : value;
}

/** Puts records into files, one for each batch. */
export const doorFileSink = definePlugin<DoorFileConfig>({
  id: 'sinks.door_file',
  kind: 'sink',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Puts records into files, one for each batch.',
  configSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['directory'],
    properties: { directory: { type: 'string', minLength: 1, description: 'Where the files go.' } },
  },
  create: (config) => new DoorFileSink(config),
});
