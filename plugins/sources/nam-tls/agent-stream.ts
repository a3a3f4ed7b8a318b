import {
  Batch,
  type AcceptedConnection,
  type Emit,
  type Logger,
  type Origin,
  type PeerCertificate,
  type PluginContext,
} from '@app/pipeline/api';
import type { AckSession } from './ack-session.js';
import { sortLines } from './sort-lines.js';
import type { SourceMetrics } from './source-metrics.js';

/** What all connections of a source share. */
export interface ConnectionHost {
  readonly context: PluginContext;
  readonly metrics: SourceMetrics;
  readonly emit: Emit;
  /** Messages of one batch at most. */
  readonly maxBatchEvents: number;
}

/** Presence is told at most this often, ms. */
const SEEN_EVERY_MS = 1_000;

/** What an allowlisted agent sends over one connection, on its way into the pipeline. */
export class AgentStream {
  #origin: Origin;
  /** Set when the agent asked for acknowledgements. */
  #acks: AckSession | undefined;
  #present = false;
  #seenAt = 0;

  constructor(
    private readonly host: ConnectionHost,
    private readonly logger: Logger,
    accepted: AcceptedConnection,
    spkiHash: string,
    hostname: string,
  ) {
    this.#origin = {
      connectionId: accepted.id,
      agentSpki: spkiHash,
      agentHost: hostname,
      sourceIp: accepted.remoteAddress,
    };
  }

  /** Tells that the agent is connected, with the certificate it showed; later calls do nothing. */
  connected(certificate?: PeerCertificate): void {
    if (this.#present) return;
    this.#present = true;
    const { agentSpki, agentHost, connectionId } = this.#origin;
    this.host.context.services.presence.connected(agentSpki, connectionId, certificate);
    this.logger.info({ spki: agentSpki, host: agentHost }, 'Agent connected');
  }

  /** The agent wants to know how far its messages are durable. */
  acknowledge(acks: AckSession): void {
    this.#acks = acks;
  }

  /** To be called when the connection is closed. */
  disconnected(): void {
    if (!this.#present) return;
    const { agentSpki, connectionId } = this.#origin;
    this.host.context.services.presence.disconnected(agentSpki, connectionId);
  }

  /** Events from now on come from this hostname: the agent enrolled again. */
  rename(hostname: string): void {
    if (hostname !== this.#origin.agentHost) this.#origin = { ...this.#origin, agentHost: hostname };
  }

  /**
   * Hands lines to the pipeline, and waits until it has room for more. Does not reject.
   * @returns code of the first protocol violation among them, if there was one
   */
  async deliver(lines: readonly Buffer[]): Promise<string | undefined> {
    this.#seen();
    let violation: string | undefined;
    for (let from = 0; from < lines.length; from += this.host.maxBatchEvents) {
      const found = await this.#emit(lines, from, Math.min(lines.length, from + this.host.maxBatchEvents));
      violation ??= found;
    }
    return violation;
  }

  async #emit(lines: readonly Buffer[], from: number, to: number): Promise<string | undefined> {
    const { events, rejects, bytes, violation } = sortLines(lines, from, to);
    const batch = new Batch(this.#origin, this.host.context.now(), bytes, events, rejects);
    this.host.context.services.presence.received(this.#origin.agentSpki, batch.size, bytes);
    this.#acks?.follow(batch);
    try {
      await this.host.emit(batch);
    } catch (error) {
      this.host.metrics.messagesRefused.add(to - from);
      this.logger.warn({ err: error, messages: to - from }, 'Messages refused by the stopping pipeline');
    }
    return violation;
  }

  #seen(): void {
    const now = this.host.context.now();
    if (now - this.#seenAt < SEEN_EVERY_MS) return;
    this.#seenAt = now;
    this.host.context.services.presence.seen(this.#origin.agentSpki);
  }
}
