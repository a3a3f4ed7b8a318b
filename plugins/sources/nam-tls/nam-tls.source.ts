import type { SecureContext } from 'node:tls';
import {
  API_VERSION,
  definePlugin,
  type AcceptedConnection,
  type Emit,
  type Source,
  type SourceEvent,
  type DurableRanges,
  type UndecodedReason,
} from '@activity-gateway/pipeline/api';
import { addressGroup } from '@activity-gateway/pipeline/helpers';
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
import { HandshakeGate } from './handshake-gate.js';
import { paceHandshakes } from './handshake-guard.js';
import { HandshakeTurns } from './handshake-turns.js';
import { beginTls, type HandshakeOptions, type TlsSide } from './handshake.js';
import { SecureContextCache } from './secure-context.js';
import { MessageMemory } from './message-memory.js';
import { sourceMetrics, type CloseReason, type SourceMetrics } from './source-metrics.js';
import { StreamSessions } from './stream-sessions.js';

/** Time kept back from a stop's deadline, so that sockets are gone when it comes, ms. */
const DESTROY_BEFORE_MS = 100;

/** Memory of unfinished messages: a part of the buffer's, but room for one of the largest size in any case. */
function messageMemoryBytes(bufferBytes: number, maxMessageBytes: number): number {
  return Math.max(bufferBytes / 4, 2 * maxMessageBytes);
}

/** The log message is an interface: alerts look for it. */
const UNKNOWN_ACTIVITY_TYPE: UndecodedReason = {
  code: 'unknown_activity_type',
  field: '/ActivityType',
  message: (type) => `No parser of this pipeline takes the activity type "${type}".`,
  logMessage: 'nam writer: unknown activity type, dropped',
};

/** Serves the agents that the gateway's listener lets through. */
class NamTlsSource implements Source {
  readonly #connections = new Map<AgentConnection, Promise<void>>();
  readonly #contexts = new SecureContextCache();
  readonly #gate = new HandshakeGate();
  readonly #turns = new HandshakeTurns();
  readonly #metrics: SourceMetrics;
  readonly undecoded = UNKNOWN_ACTIVITY_TYPE;
  readonly #maxValues: number;
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
    const streams = marks && new StreamSessions(marks, services.streamClaims);
    const host: ConnectionHost = {
      context: this.context,
      metrics: this.#metrics,
      emit,
      reader: new MessageReader(this.#maxValues),
      memory: new MessageMemory(
        () =>
          messageMemoryBytes(this.context.bufferBytes, services.connectionSettings.current.maxMessageBytes),
        () => this.#connections.keys(),
      ),
      maxBatchEvents: this.config.max_batch_events,
      connections: () => this.#connections.size,
      streams,
    };
    this.#unsubscribe = [
      services.connectionSettings.subscribe(() => this.#each((each) => each.settingsChanged())),
      services.allowlist.subscribe(() => this.#each((each) => each.allowlistChanged())),
      services.connections.take({
        accept: (connection) => this.#accept(connection, host),
        closeAll: () => this.#each((each) => each.stop()),
        end: (id, reason) => this.#find(id)?.stop(reason),
        silentMs: (id) => this.#find(id)?.silentMs,
      }),
    ];
  }

  /** What has arrived goes to the pipeline; connections that are still open at the deadline are cut. */
  async stop(deadline: number): Promise<void> {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#turns.flush();
    this.#each((each) => each.stop());
    const open = Promise.all(this.#connections.values());
    const left = Math.max(0, deadline - DESTROY_BEFORE_MS - this.context.now());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, left)));
    await Promise.race([open, late]);
    clearTimeout(timer);
    this.#each((each) => each.destroy());
  }

  #each(action: (connection: AgentConnection) => void): void {
    for (const connection of [...this.#connections.keys()]) action(connection);
  }

  /** Asked for seldom: no table by id is kept. */
  #find(id: string): AgentConnection | undefined {
    return [...this.#connections.keys()].find((each) => each.id === id);
  }

  /** Handshakes are watched, but for one at a time of each address from which agents are known. */
  #accept(accepted: AcceptedConnection, host: ConnectionHost): void {
    const address = addressGroup(accepted.remoteAddress);
    if (accepted.known !== true) return void this.#serve(accepted, host, { address, watched: true });
    paceHandshakes();
    this.#turns.take(address, (alone) => {
      const tls = this.#serve(accepted, host, { address, watched: !alone });
      if (!alone) return;
      if (tls === undefined) this.#turns.leave(address);
      else void tls.secured.then(() => this.#turns.leave(address));
    });
  }

  #serve(
    accepted: AcceptedConnection,
    host: ConnectionHost,
    handshake: Pick<HandshakeOptions, 'address' | 'watched'>,
  ): TlsSide | undefined {
    const secureContext = this.#secureContext();
    if (secureContext === undefined || accepted.socket.destroyed) {
      const reason = secureContext === undefined ? 'no_server_certificate' : 'reset';
      accepted.socket.destroy();
      this.#closed(accepted, reason);
      return undefined;
    }
    const tls = beginTls(accepted.socket, { ...handshake, secureContext, gate: this.#gate });
    const connection = new AgentConnection(accepted, tls, host);
    const done = connection.run().then((reason) => {
      this.#connections.delete(connection);
      this.#closed(accepted, reason);
    });
    this.#connections.set(connection, done);
    this.#metrics.open.set(this.#connections.size);
    return tls;
  }

  #closed(accepted: AcceptedConnection, reason: CloseReason): void {
    this.context.services.connections.closed(accepted.id);
    this.#metrics.closed.add(1, { reason });
    this.#metrics.open.set(this.#connections.size);
  }

  #secureContext(): SecureContext | undefined {
    const identity = this.context.services.tlsIdentity.current;
    try {
      return identity && this.#contexts.get(identity);
    } catch (error) {
      this.context.logger.error({ err: error }, 'Server certificate cannot be used');
      return undefined;
    }
  }
}

/** Event streams of activity agents over mutually authenticated TLS 1.3 (`docs/PROTOCOL.md`). */
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
