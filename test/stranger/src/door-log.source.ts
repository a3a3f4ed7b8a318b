import { readFile } from 'node:fs/promises';
import {
  API_VERSION,
  Batch,
  createEvent,
  definePlugin,
  RejectError,
  type Emit,
  type PluginContext,
  type Reject,
  type Source,
  type SourceEvent,
} from '@activity-gateway/pipeline/api';
import { LineFramer } from '@activity-gateway/pipeline/helpers';

interface DoorLogConfig {
  readonly path: string;
}

const MAX_LINE_BYTES = 4_096;

/** Reads one line of the log. @throws RejectError for a line that is no JSON object */
export function readDoorLine(raw: Buffer): SourceEvent {
  let value: unknown;
  try {
    value = JSON.parse(raw.toString());
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null) return createEvent('Door', value, raw);
  throw new RejectError('no_json', '', 'The line is no JSON object.', 'frame');
}

class DoorLogSource implements Source {
  readonly read = readDoorLine;
  #reading: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();

  constructor(
    private readonly config: DoorLogConfig,
    private readonly context: PluginContext,
  ) {}

  async start(_signal: AbortSignal, emit: Emit): Promise<void> {
    this.#reading = this.#readAll(emit).catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.context.report('failed', String(error));
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#reading;
  }

  async #readAll(emit: Emit): Promise<void> {
    const bytes = await readFile(this.config.path, { signal: this.#stopped.signal });
    const framer = new LineFramer(MAX_LINE_BYTES);
    const lines = framer.push(bytes);
    const last = framer.end();
    const batch = this.#batchOf(last === undefined ? lines : [...lines, last], bytes.length);
    if (!this.#stopped.signal.aborted) await emit(batch);
  }

  #batchOf(lines: readonly Buffer[], bytes: number): Batch {
    const events: SourceEvent[] = [];
    const rejects: Reject[] = [];
    for (const raw of lines) {
      try {
        events.push(readDoorLine(raw));
      } catch (error) {
        if (!(error instanceof RejectError)) throw error;
        const { stage, code, field, message } = error;
        rejects.push({ stage, code, field, message, raw });
      }
    }
    const origin = {
      connectionId: 'door-log',
      sender: '',
      senderHost: 'door-controller',
      sourceIp: '127.0.0.1',
    };
    return new Batch(origin, this.context.now(), bytes, events, rejects);
  }
}

/** Reads the log of the door controller once. */
export const doorLogSource = definePlugin<DoorLogConfig>({
  id: 'sources.door_log',
  kind: 'source',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Reads the log of a door controller once.',
  instances: 'each-reactor',
  configSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: {
      path: { type: 'string', minLength: 1, description: 'File of the log, one JSON object a line.' },
    },
  },
  create: (config, context) => new DoorLogSource(config, context),
});
