import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { Batch, ConnectionSettings, Emit, Source, DurableRanges } from '@activity-gateway/pipeline/api';
import { createTestContext } from '@activity-gateway/pipeline/testing';
import { createTestAgentServices, type TestCertificate } from '@activity-gateway/activity/testing';

/** What a rig is made from. */
export interface SourceRigParts {
  readonly server: TestCertificate;
  /** The agent whose certificate clients show unless they say otherwise. */
  readonly agent: TestCertificate;
  create(context: SourceRig['context']): Source;
  /** What the source's pipeline knows of streams; nothing by default. */
  readonly marks?: DurableRanges;
  /** Whether connections come from an address where agents were seen; false by default. */
  readonly known?: boolean;
}

/** A gateway's worth of surroundings for one source of connections: a real listener, services that a test sets. */
export class SourceRig {
  readonly context = createTestContext({ services: createTestAgentServices() });
  readonly batches: Batch[] = [];
  readonly listener: Server = createServer({ pauseOnConnect: true });
  readonly clients: TLSSocket[] = [];
  readonly served: Socket[] = [];
  readonly abort = new AbortController();
  source!: Source;
  emit: Emit = async (batch) => void this.batches.push(batch);
  #ids = 0;

  constructor(private readonly parts: SourceRigParts) {}

  /** Starts the source and a listener on a port that the system chooses. */
  async start(): Promise<void> {
    this.context.services.tlsIdentity.set({
      cert: this.parts.server.certPem,
      key: this.parts.server.keyPem,
    });
    await this.#startSource(this.context.gatewayId);
    this.listener.on('connection', (socket) => {
      socket.on('error', () => undefined);
      this.served.push(socket);
      this.context.services.connections.offer({
        id: `c${(this.#ids += 1)}`,
        remoteAddress: '127.0.0.1',
        remotePort: socket.remotePort ?? 0,
        acceptedAt: Date.now(),
        known: this.parts.known ?? false,
        socket,
      });
    });
    this.listener.listen(0, '127.0.0.1');
    await once(this.listener, 'listening');
  }

  /**
   * Cuts all connections and starts a new source in place of the old one, as if its process had been killed.
   * @param gatewayId of the gateway that answers from now on; the same one by default
   */
  async restart(gatewayId = this.context.gatewayId): Promise<void> {
    for (const socket of this.served.splice(0)) socket.destroy();
    await this.#startSource(gatewayId);
  }

  async #startSource(gatewayId: string): Promise<void> {
    this.source = this.parts.create({ ...this.context, gatewayId });
    await this.source.start(this.abort.signal, (batch) => this.emit(batch), this.parts.marks);
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.clients.forEach((client) => client.destroy());
    await this.source.stop?.(Date.now() + 1_000);
    this.listener.close();
  }

  /** Puts the agent on the allowlist. */
  allow(hostname = 'FS-AGENT-01'): void {
    const { spkiHash } = this.parts.agent;
    this.context.services.allowlist.set(new Map([[spkiHash, { spkiHash, hostname }]]));
  }

  /** Changes some settings of connections. */
  settings(change: Partial<ConnectionSettings>): void {
    const { connectionSettings } = this.context.services;
    connectionSettings.set({ ...connectionSettings.current, ...change });
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Connects with the agent's certificate; collects what comes and how it ends. */
  async connect(options: ConnectionOptions = {}): Promise<RigClient> {
    const socket = connect({
      host: '127.0.0.1',
      port: this.port,
      cert: this.parts.agent.certPem,
      key: this.parts.agent.keyPem,
      rejectUnauthorized: false,
      ...options,
    });
    this.clients.push(socket);
    const client = new RigClient(socket);
    await Promise.race([
      new Promise<void>((resolve) => socket.once('secureConnect', () => resolve())),
      client.closed,
    ]);
    return client;
  }

  /** As `connect`, with the TCP socket beneath, so that a test can reset the connection. */
  async connectOver(): Promise<{ client: RigClient; tcp: Socket }> {
    const tcp = connectTcp(this.port, '127.0.0.1');
    tcp.on('error', () => undefined);
    await once(tcp, 'connect');
    return { client: await this.connect({ socket: tcp }), tcp };
  }

  /** Value of a metric. */
  value(name: string, labels?: Record<string, string>): number {
    return this.context.metrics.value(name, labels);
  }

  /** Reasons of all bans, in order. */
  bans(): string[] {
    return this.context.services.connections.violations.map(({ reason }) => reason);
  }

  /** Waits until the first connection is closed for this reason, and checks that it was given back once. */
  async closed(reason: string): Promise<void> {
    const labels = { reason };
    await until(
      () => this.value('gateway_agent_connections_closed_total', labels) === 1,
      `closed: ${reason}`,
    );
    const { closedIds } = this.context.services.connections;
    if (closedIds.join() !== 'c1') throw new Error(`given back: ${closedIds.join()}`);
  }

  /** Raw text of all events, in order. */
  lines(): string[] {
    return this.batches.flatMap((batch) => batch.events.map((each) => Buffer.from(each.raw).toString()));
  }
}

/** An agent's end of a connection, and what came over it. */
export class RigClient {
  received = '';
  error: Error | undefined;
  readonly closed: Promise<void>;

  constructor(readonly socket: TLSSocket) {
    socket.on('data', (data: Buffer) => (this.received += data.toString()));
    socket.on('error', (error: Error) => (this.error = error));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
  }
}

/** Polls until the condition holds; fails after four seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 4_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
  }
}
