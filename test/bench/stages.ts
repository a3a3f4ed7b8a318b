import { Ajv } from 'ajv';
import { Registry } from 'prom-client';
import type { Logger, Services } from '@activity-gateway/pipeline/api';
import { createLiveValue, LineFramer } from '@activity-gateway/pipeline/helpers';
import { MessageReader } from '@activity-gateway/activity';
import {
  createMetrics,
  PluginRegistry,
  createPipeline,
  type FlowSettings,
  type Pipeline,
} from '@activity-gateway/pipeline/host';
import { plugins } from '../../plugins/index.js';
import { smbParser } from '../../plugins/parsers/smb/index.js';
import { benchSource, readChunk, type BenchFeed } from './bench-source.js';
import type { Corpus } from './corpus.js';
import { withoutWrites } from './without-writes.js';

/** One thing that is measured. */
export interface Stage {
  readonly name: string;
  /** What it does and what it leaves out. */
  readonly does: string;
  run(corpus: Corpus): Promise<void>;
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  child: () => SILENT,
};

const SETTINGS: FlowSettings = {
  batchSize: 1000,
  batchIntervalMs: 1000,
  maxConcurrentJobs: 3,
  bufferMaxEvents: 50_000,
  sinkBatchSize: 10_000,
  sinkWriters: 8,
};

/** The yardstick: cut lines, `JSON.parse`, a compiled Ajv schema, and nothing else. */
const bareLoop: Stage = {
  name: 'bare loop',
  does: 'line split, JSON.parse, Ajv',
  async run(corpus) {
    const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(smbParser.messageSchema);
    let rest: Buffer = Buffer.alloc(0);
    for (const chunk of corpus.chunks) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
        const line = bytes.toString('utf8', start, end);
        if (line.startsWith('{')) validate(JSON.parse(line));
        start = end + 1;
      }
      rest = bytes.subarray(start);
    }
  },
};

const framed: Stage = {
  name: 'frame + parse',
  does: 'LineFramer, MessageReader',
  async run(corpus) {
    const framer = new LineFramer(1 << 24);
    const reader = new MessageReader();
    for (const chunk of corpus.chunks) reader.read(framer.cut(chunk));
  },
};

/** The whole flow with a sink; no TLS, no network. */
function flow(sink: 'null' | 'clickhouse', does: string): Stage {
  return {
    name: `flow to sinks.${sink}`,
    does,
    async run(corpus) {
      const feed: BenchFeed = { emit: undefined };
      const pipeline = build(feed, sink);
      await pipeline.start(new AbortController().signal);
      const framer = new LineFramer(1 << 24);
      const reader = new MessageReader();
      for (const chunk of corpus.chunks) await feed.emit?.(readChunk(framer, reader, chunk));
      await pipeline.drain(Date.now() + 60_000);
      const { received, delivered, deadLettered } = pipeline.status().counts;
      if (received !== corpus.events || delivered + deadLettered !== received) {
        throw new Error(`Of ${corpus.events} events ${delivered} were delivered.`);
      }
    },
  };
}

function build(feed: BenchFeed, sink: 'null' | 'clickhouse'): Pipeline {
  const sinks = withoutWrites(plugins);
  const parser = (use: string): { name: string; use: string; with: object } => ({
    name: use,
    use: `parsers.${use}`,
    with: { max_event_age: '400d', max_clock_skew: '1d', ...(use === 'leef' ? { time_zone: 'UTC' } : {}) },
  });
  return createPipeline({
    spec: {
      name: 'bench',
      source: { name: 'bench', use: 'sources.bench', with: {} },
      steps: ['smb', 'sharepoint', 'copilot', 'leef'].map(parser) as never,
      sinks: [{ name: 'sink', use: `sinks.${sink}`, with: sink === 'clickhouse' ? CLICKHOUSE_OPTIONS : {} }],
      deadLetters: 'sink',
      buffer: { maxBytes: 256 * 1024 * 1024 },
    },
    registry: new PluginRegistry([benchSource(feed), ...sinks]),
    services: { endpoints: createLiveValue(new Map()) } as unknown as Services,
    settings: createLiveValue(SETTINGS),
    logger: SILENT,
    metrics: createMetrics(new Registry()),
    gatewayId: 'bench',
    epoch: '000001',
  });
}

const CLICKHOUSE_OPTIONS = { endpoint: 'clickhouse', compression: false, request_timeout: '120s' };

/** In the order of the way of an event; each holds the ones before it. */
export const stages: readonly Stage[] = [
  bareLoop,
  framed,
  flow('null', 'frame, parse, validate, decode, batch, settle'),
  flow('clickhouse', 'the same, and Native blocks by column; nothing is sent'),
];
