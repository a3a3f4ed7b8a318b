import {
  Batch,
  type Emit,
  type Logger,
  type Origin,
  type PeerConnection,
  type Reject,
  type StreamRange,
} from '@activity-gateway/pipeline/api';
import type { Line } from '@activity-gateway/pipeline/helpers';
import type { MessageReader, AgentReport, AgentContext } from '@activity-gateway/activity';
import type { AckSession } from './ack-session.js';
import { MalformedLines } from './malformed-lines.js';
import type { MessageMemory } from './message-memory.js';
import { sortLines } from './sort-lines.js';
import type { SourceMetrics } from './source-metrics.js';
import type { StreamNumbers } from './stream-numbers.js';
import type { StreamSessions } from './stream-sessions.js';

/** What all connections of a source share. */
export interface ConnectionHost {
  readonly context: AgentContext;
  readonly metrics: SourceMetrics;
  readonly emit: Emit;
  readonly reader: MessageReader;
  /** What unfinished messages share. */
  readonly memory: MessageMemory;
  /** Messages of one batch at most. */
  readonly maxBatchEvents: number;
  /** Connections that are open now. */
  readonly connections: () => number;
  /** Missing where the pipeline cannot recognise messages that are sent again. */
  readonly streams: StreamSessions | undefined;
}

/** What an allowlisted agent sends over one connection, on its way into the pipeline. */
export class AgentStream {
  #origin: Origin;
  /** Set when the agent asked for acknowledgements. */
  #acks: AckSession | undefined;
  /** Set when its messages are numbered in a stream. */
  #numbers: StreamNumbers | undefined;
  #present = false;
  readonly #malformed = new MalformedLines();
  #malformedTold = false;

  constructor(
    private readonly host: ConnectionHost,
    private readonly logger: Logger,
    peer: PeerConnection,
    spkiHash: string,
    hostname: string,
    /** Told once. */
    private certificate: AgentReport['certificate'],
  ) {
    this.#origin = {
      connectionId: peer.id,
      sender: spkiHash,
      senderHost: hostname,
      sourceIp: peer.remoteAddress,
    };
  }

  /** Whether its messages have numbers. */
  get numbered(): boolean {
    return this.#numbers !== undefined;
  }

  /** Whether so many lines were no messages that the connection has to end. */
  get tooManyMalformed(): boolean {
    return this.#malformed.tooMany;
  }

  /** Tells that the agent is connected; later calls do nothing. */
  connected(): void {
    if (this.#present) return;
    this.#present = true;
    const { sender: agentSpki, senderHost: agentHost, connectionId } = this.#origin;
    const weakness = this.certificate?.weakness;
    this.host.context.services.presence.connected(agentSpki, connectionId);
    this.logger.info({ spkiHash: agentSpki, host: agentHost }, 'Agent connected');
    if (weakness === undefined) return;
    const fields = { spkiHash: agentSpki, agentHost, reason: weakness };
    this.logger.warn(fields, 'Agent has a weak key; give it a new one and enroll it again');
  }

  /** The agent wants to know how far its messages are durable. */
  acknowledge(acks: AckSession): void {
    this.#acks = acks;
  }

  /** The messages that follow have numbers; those that are durable already are not stored again. */
  number(numbers: StreamNumbers): void {
    this.#numbers = numbers;
  }

  /** To be called when the connection is closed. */
  disconnected(): void {
    if (!this.#present) return;
    const { sender: agentSpki, connectionId } = this.#origin;
    this.host.context.services.presence.disconnected(agentSpki, connectionId);
  }

  /** Events from now on come from this hostname: the agent enrolled again. */
  rename(hostname: string): void {
    if (hostname !== this.#origin.senderHost) this.#origin = { ...this.#origin, senderHost: hostname };
  }

  /** Hands lines to the pipeline, and waits until it has room for more. Does not reject. */
  async deliver(lines: readonly Line[]): Promise<void> {
    if (this.#numbers === undefined) return this.#emitAll(lines, 0, lines.length);
    let from = 0;
    for (const piece of this.#numbers.take(lines.length)) {
      const to = from + piece.last - piece.first + 1;
      if (piece.known) this.#skip(to - from);
      else await this.#emitAll(lines, from, to, piece);
      from = to;
    }
  }

  /** @param piece the numbers of these lines */
  async #emitAll(lines: readonly Line[], start: number, end: number, piece?: StreamRange): Promise<void> {
    for (let from = start; from < end; from += this.host.maxBatchEvents) {
      const to = Math.min(end, from + this.host.maxBatchEvents);
      await this.#emit(lines, from, to, piece && part(piece, from - start, to - start));
    }
  }

  #skip(messages: number): void {
    this.host.metrics.messagesRepeated.add(messages);
    this.#seen(0, 0);
    this.#acks?.skip(messages);
  }

  async #emit(lines: readonly Line[], from: number, to: number, range?: StreamRange): Promise<void> {
    const { events, rejects, bytes } = sortLines(this.host.reader, lines, from, to, this.#malformed);
    this.#tellMalformed(rejects);
    this.#seen(to - from, bytes);
    const batch = new Batch(this.#origin, this.host.context.now(), bytes, events, rejects, range);
    this.#acks?.follow(batch);
    try {
      await this.host.emit(batch);
    } catch (error) {
      this.host.metrics.messagesRefused.add(to - from);
      this.logger.warn({ err: error, messages: to - from }, 'Messages refused by the stopping pipeline');
    }
  }

  /** Once a connection: how many there are stands in the metrics of the dead letters. */
  #tellMalformed([first]: readonly Reject[]): void {
    if (first === undefined || this.#malformedTold) return;
    this.#malformedTold = true;
    const { sender: spkiHash, senderHost: agentHost } = this.#origin;
    this.logger.warn(
      { spkiHash, agentHost, code: first.code },
      'Line is not a message; kept as a dead letter',
    );
  }

  #seen(events: number, bytes: number): void {
    const { certificate } = this;
    this.certificate = undefined;
    const report = certificate === undefined ? { events, bytes } : { events, bytes, certificate };
    this.host.context.services.presence.seen(this.#origin.sender, report);
  }
}

function part({ stream, first }: StreamRange, from: number, to: number): StreamRange {
  return { stream, first: first + from, last: first + to - 1 };
}
