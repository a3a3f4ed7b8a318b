import {
  API_VERSION,
  definePlugin,
  type Emit,
  type Listening,
  type Source,
  type SourceEvent,
  type DurableRanges,
  type UndecodedReason,
} from '@activity-gateway/pipeline/api';
import {
  AGENT_NEEDS,
  agentContext,
  MAX_VALUES,
  MessageReader,
  readEvent,
  type AgentContext,
  type AgentNeeds,
} from '@activity-gateway/activity';
import type { ConnectionHost } from './agent-stream.js';
import { namTlsConfigSchema, type NamTlsConfig } from './config.js';
import { AgentConnection } from './connection.js';
import { MessageMemory } from './message-memory.js';
import { sourceMetrics, type CloseReason, type SourceMetrics } from './source-metrics.js';
import { StreamSessions } from './stream-sessions.js';

/** Memory of unfinished messages: a part of the buffer's, but room for one of the largest size in any case. */
function messageMemoryBytes(bufferBytes: number, maxMessageBytes: number): number {
  return Math.max(bufferBytes / 4, 2 * maxMessageBytes);
}

const NONE: ReadonlySet<AgentConnection> = new Set();

/** The log message is an interface: alerts look for it. */
const UNKNOWN_ACTIVITY_TYPE: UndecodedReason = {
  code: 'unknown_activity_type',
  field: '/ActivityType',
  message: (type) => `No parser of this pipeline takes the activity type "${type}".`,
  logMessage: 'nam writer: unknown activity type, dropped',
};

/** Serves the agents that the gateway's listener lets through. */
class NamTlsSource implements Source {
  readonly #metrics: SourceMetrics;
  readonly undecoded = UNKNOWN_ACTIVITY_TYPE;
  readonly #maxValues: number;
  #listening: Listening<AgentConnection> | undefined;
  #unsubscribe: (() => void)[] = [];

  constructor(
    private readonly config: NamTlsConfig,
    private readonly context: AgentContext,
  ) {
    this.#metrics = sourceMetrics(context.metrics);
    this.#maxValues = config.max_message_values ?? MAX_VALUES;
  }

  read(raw: Buffer): SourceEvent {
    return readEvent(raw, this.#maxValues);
  }

  /** Takes connections from now on. */
  async start(_signal: AbortSignal, emit: Emit, marks?: DurableRanges): Promise<void> {
    const { services } = this.context;
    const host = this.#host(emit, marks && new StreamSessions(marks, services.streamClaims));
    this.#listening = services.listen({
      tls: 'mutual',
      serve: (peer) => {
        // It is counted when this returns.
        this.#metrics.open.set(this.#connections.size + 1);
        return new AgentConnection(peer, host);
      },
      closed: (reason, error) => this.#closed(reason as CloseReason, error),
    });
    this.#unsubscribe = [
      services.connectionSettings.subscribe(() => this.#each((connection) => connection.settingsChanged())),
      services.allowlist.subscribe(() => this.#each((connection) => connection.allowlistChanged())),
    ];
  }

  /** What has arrived goes to the pipeline; connections that are still open at the deadline are cut. */
  async stop(deadline: number): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    await this.#listening?.stop(deadline);
  }

  get #connections(): ReadonlySet<AgentConnection> {
    return this.#listening?.connections ?? NONE;
  }

  #host(emit: Emit, streams: StreamSessions | undefined): ConnectionHost {
    const { bufferBytes, services } = this.context;
    const memoryBytes = (): number =>
      messageMemoryBytes(bufferBytes, services.connectionSettings.current.maxMessageBytes);
    return {
      context: this.context,
      metrics: this.#metrics,
      emit,
      reader: new MessageReader(this.#maxValues),
      memory: new MessageMemory(memoryBytes, () => this.#connections),
      maxBatchEvents: this.config.max_batch_events,
      connections: () => this.#connections.size,
      streams,
    };
  }

  #each(action: (connection: AgentConnection) => void): void {
    for (const connection of this.#connections) action(connection);
  }

  #closed(reason: CloseReason, error: unknown): void {
    if (error !== undefined) {
      const { logger } = this.context;
      if (reason === 'no_server_certificate')
        logger.error({ err: error }, 'Server certificate cannot be used');
      else logger.error({ err: error }, 'Agent connection failed');
    }
    this.#metrics.closed.add(1, { reason });
    this.#metrics.open.set(this.#connections.size);
  }
}

/** Event streams of activity agents over mutually authenticated TLS 1.3 (`docs/reference/protocol.md`). */
export const namTlsSource = definePlugin<NamTlsConfig, AgentNeeds>({
  id: 'sources.nam_tls',
  kind: 'source',
  exclusive: true,
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Takes event streams and enrollments of activity agents over mutually authenticated TLS 1.3.',
  configSchema: namTlsConfigSchema,
  instances: 'each-reactor',
  requires: AGENT_NEEDS,
  network: [
    {
      direction: 'in',
      port: '1514, setting activitymonitor_tcp_port',
      protocol: 'tcp',
      tls: 'always',
      peer: 'agents',
      purpose: 'Events, acknowledgements and enrollment over mutually authenticated TLS 1.3.',
    },
  ],
  create: (config, context): Source => new NamTlsSource(config, agentContext(context)),
});
