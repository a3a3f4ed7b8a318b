import {
  API_VERSION,
  Batch,
  definePlugin,
  type Emit,
  type Origin,
  type SourceDefinition,
  type SourceEvent,
} from '@activity-gateway/pipeline/api';
import type { LineFramer } from '@activity-gateway/pipeline/helpers';
import type { MessageReader } from '@activity-gateway/activity';

/** Where the bench puts its chunks in: a source without sockets. */
export interface BenchFeed {
  emit: Emit | undefined;
}

const ORIGIN: Origin = {
  connectionId: 'bench',
  sender: '0'.repeat(64),
  senderHost: 'BENCH',
  sourceIp: '192.0.2.1',
};

/** A source plugin that hands its `emit` to the bench. */
export function benchSource(feed: BenchFeed): SourceDefinition {
  return definePlugin({
    id: 'sources.bench',
    kind: 'source',
    instances: 'each-reactor',
    apiVersion: API_VERSION,
    stability: 'development',
    summary: 'Takes chunks from the benchmark.',
    configSchema: { type: 'object', additionalProperties: false, properties: {} },
    create: () => ({
      start: async (_signal: AbortSignal, emit: Emit) => {
        feed.emit = emit;
      },
    }),
  });
}

/** Frames and parses a chunk as the TLS source does. */
export function readChunk(framer: LineFramer, reader: MessageReader, chunk: Buffer): Batch {
  const events: SourceEvent[] = [];
  for (const message of reader.read(framer.cut(chunk))) {
    if (message.kind === 'event') events.push(message.event);
  }
  return new Batch(ORIGIN, Date.now(), chunk.length, events);
}
