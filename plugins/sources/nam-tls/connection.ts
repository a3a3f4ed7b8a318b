import type {
  HandshakeRefusal,
  Logger,
  PeerConnection,
  ServedConnection,
} from '@activity-gateway/pipeline/api';
import { Line, LineFramer } from '@activity-gateway/pipeline/helpers';
import { AckSession } from './ack-session.js';
import { AgentStream, type ConnectionHost } from './agent-stream.js';
import { ChunkReader, type StreamEnd } from './chunk-reader.js';
import { isEndReason, lastAcksMs, tellsLastAcks, type EndReason } from './connection-end.js';
import { ConnectionClock } from './connection-clock.js';
import { isEnding, nextState, type ConnectionEvent, type ConnectionState } from './connection-state.js';
import { enroll } from './enrollment.js';
import { decideFirstLine, MAX_CONTROL_BYTES, type FirstAction } from './first-message.js';
import { readHello, type Hello } from './hello-message.js';
import { certificateOf, weaknessOf } from './peer-key.js';
import type { MessageHolder } from './message-memory.js';
import { endSoon, endWith } from './socket-end.js';
import { isCutOff } from './sort-lines.js';
import type { CloseReason } from './source-metrics.js';
import { resumeStream } from './resume-stream.js';

/** One agent's connection from the TLS handshake to its end (`docs/reference/protocol.md`). */
export class AgentConnection implements MessageHolder, ServedConnection {
  readonly #reader: ChunkReader;
  readonly #framer: LineFramer;
  readonly #clock: ConnectionClock;
  readonly #logger: Logger;
  #state: ConnectionState = 'handshake';
  #spki = '';
  /** Set with the first line of an allowlisted agent. */
  #stream: AgentStream | undefined;
  /** Set with a Hello that asks for acknowledgements. */
  #acks: AckSession | undefined;
  /** Set when the connection is being ended. */
  #reason: CloseReason | undefined;
  /** Bytes that reached no message and are in no buffer any more. */
  #lost = 0;

  constructor(
    private readonly peer: PeerConnection,
    private readonly host: ConnectionHost,
  ) {
    const { context } = host;
    this.#framer = new LineFramer(MAX_CONTROL_BYTES, host.memory.change);
    this.#reader = new ChunkReader(peer.socket);
    this.#logger = context.logger.child({ connection: peer.id, remote: peer.remoteAddress });
    const age = context.now() - peer.acceptedAt;
    this.#clock = new ConnectionClock(age, context.services.connectionSettings, (expiry) =>
      this.#state === 'lingering' ? this.#reader.stop() : this.#close(expiry),
    );
  }

  /** Serves the connection; resolves when its socket is closed and everything received is handed over. Never rejects. */
  async run(): Promise<CloseReason> {
    this.#clock.arm();
    try {
      if (await this.#identify()) await this.#serve();
    } catch (error) {
      this.#logger.error({ err: error }, 'Agent connection failed');
      this.#close('internal_error');
    }
    await this.#lastAcks();
    return this.#finish();
  }

  /** How long nothing has come, ms; 0 while the gateway makes the peer wait, endless once the connection is being ended. */
  get silentMs(): number {
    return this.#ending ? Number.MAX_SAFE_INTEGER : this.#clock.silentMs;
  }

  /** Bytes of a message that has begun and not ended. */
  get pendingBytes(): number {
    return this.#framer.pendingBytes;
  }

  /** Ends the connection for the memory that its unfinished message takes; what came before that message is taken. */
  giveUp(): void {
    const bytes = this.#framer.discard();
    this.#lost += bytes;
    this.#logger.warn(
      { spkiHash: this.#spki, bytes },
      'Memory for unfinished messages is used up; closing the largest',
    );
    this.#close('message_memory');
  }

  /** To be called when the settings changed. */
  settingsChanged(): void {
    this.#clock.arm();
  }

  /** To be called when the allowlist changed: closes a removed agent's stream at once. */
  allowlistChanged(): void {
    if (this.#stream === undefined) return;
    const entry = this.host.context.services.allowlist.current.get(this.#spki);
    if (entry !== undefined) this.#stream.rename(entry.hostname);
    else if (this.#state !== 'enrolling') {
      this.#close('removed');
      this.#acks?.stop();
    }
  }

  /**
   * Ends the connection in order; what has arrived is handed over, and an enrollment under way is answered. A stream
   * without Acks is ended and read until the peer has ended it too: closed with bytes unread, it would be reset, and the
   * peer never know what of it was read.
   */
  stop(reason: EndReason = 'stopping'): void {
    if (this.#state === 'enrolling' || this.#ending) return;
    if (this.#stream === undefined) this.#close(reason);
    else this.#endStream(reason);
  }

  /** Ends the socket at once. */
  destroy(): void {
    this.#close('stopping');
    this.#clock.stop();
    this.#acks?.stop();
    this.peer.socket.destroy();
  }

  get #ending(): boolean {
    return isEnding(this.#state);
  }

  /** Moves the connection to its next state; false when the event does not move it where it is. */
  #on(event: ConnectionEvent): boolean {
    const next = nextState(this.#state, event);
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  /** Waits for the handshake and reads the peer's key; false when the connection has to end. */
  async #identify(): Promise<boolean> {
    const { key, refusal } = await this.peer.handshake;
    if (this.#ending) return false;
    if (refusal === undefined || !refusal.reason.startsWith('handshake_')) this.#on('secure');
    if (refusal !== undefined) {
      this.#refuse(refusal, key);
      return false;
    }
    this.#spki = key;
    this.#clock.secured();
    if (this.host.context.services.allowlist.current.has(key)) this.#identified();
    return true;
  }

  #refuse({ reason, violation, level, message, fields }: HandshakeRefusal, spkiHash?: string): void {
    this.host.metrics.handshakesFailed.add(1);
    this.#logger[level](spkiHash === undefined ? fields : { spkiHash, ...fields }, message);
    const isAgent = spkiHash !== undefined && this.host.context.services.allowlist.current.has(spkiHash);
    if (violation && !isAgent) this.#punish(reason, reason);
    else this.#close(reason);
  }

  /** Tells the gateway once that this peer is an agent of the allowlist. */
  #identified(): void {
    if (this.#on('identify')) this.peer.identified(this.#spki);
  }

  async #serve(): Promise<void> {
    let end: StreamEnd | undefined;
    while (end === undefined) end = await this.#next();
    await this.#ended(end);
  }

  /** Serves one chunk. Not the body of a loop: an idle connection would hold its last chunk, up to 128 KiB. */
  async #next(): Promise<StreamEnd | undefined> {
    const chunk = await this.#reader.next();
    if (typeof chunk === 'string') return chunk;
    this.#clock.touch();
    const lines = this.#frame(chunk);
    this.#clock.framed(lines.length > 0, this.#framer.pendingBytes > 0);
    await this.#take(lines);
    if (this.#framer.overflowed) this.#oversized();
    return undefined;
  }

  #frame(chunk: Buffer): Line[] {
    const { allowlist, connectionSettings } = this.host.context.services;
    const limit = connectionSettings.current.maxMessageBytes;
    const known = this.#stream !== undefined || allowlist.current.has(this.#spki);
    this.#framer.maxBytes = known ? limit : Math.min(limit, MAX_CONTROL_BYTES);
    const before = this.#framer.pendingBytes;
    const lines = this.#framer.cut(chunk);
    if (this.#framer.overflowed) {
      this.#lost += lines.reduce((rest, line) => rest - line.length, before + chunk.length);
    }
    return lines;
  }

  async #ended(end: StreamEnd): Promise<void> {
    if (end === 'stopped') {
      const takesRest = this.#state === 'lingering' || isEndReason(this.#reason);
      const rest = takesRest ? this.#reader.rest() : undefined;
      if (rest !== undefined) await this.#take(this.#frame(rest));
      return;
    }
    const before = this.#framer.pendingBytes;
    const last = end === 'ended' ? this.#framer.end() : undefined;
    if (last !== undefined && isCutOff(last, this.#stream?.numbered === true)) this.#lost += before;
    else if (last !== undefined) await this.#take([Line.of(last)]);
    if (this.#framer.overflowed) {
      this.#lost += before;
      this.#oversized();
    }
    this.#close(end === 'ended' ? 'ended' : 'reset');
  }

  async #take(lines: Line[]): Promise<void> {
    if (this.#state === 'refused' || lines.length === 0) return;
    const opened = this.#state === 'streaming' || this.#ending;
    if (this.#stream !== undefined && opened) return this.#deliver(this.#stream, lines);
    const entry = this.host.context.services.allowlist.current.get(this.#spki);
    this.#clock.firstMessage();
    if (entry === undefined) return this.#open(decideFirstLine(lines[0] as Line, false), lines);
    // Its key may have been enrolled after the handshake.
    this.#identified();
    this.#stream ??= new AgentStream(
      this.host,
      this.#logger,
      this.peer,
      this.#spki,
      entry.hostname,
      certificateOf(this.peer.socket),
    );
    await this.#openStream(lines);
  }

  /** Looks for the first message of an allowlisted agent; lines before it that are no messages are dead letters. */
  async #openStream(lines: Line[]): Promise<void> {
    let action: FirstAction = { do: 'skip' };
    let at = 0;
    for (; at < lines.length; at += 1) {
      action = decideFirstLine(lines[at] as Line, true);
      if (action.do !== 'skip') break;
    }
    if (at > 0) await this.#begin(lines.slice(0, at));
    if (at === lines.length) return;
    const rest = at === 0 ? lines : lines.slice(at);
    if (this.#ending) await this.#begin(rest);
    else await this.#open(action, rest);
  }

  async #open(action: FirstAction, lines: Line[]): Promise<void> {
    if (action.do === 'leave') this.#unknown();
    else if (action.do === 'punish') this.#punish('protocol_violation', 'protocol_violation');
    else if (action.do === 'enroll') await this.#enroll(action.value, lines.slice(1));
    else if (action.do === 'greet') await this.#greet(action.value, lines.slice(1));
    else {
      this.#on('stream');
      await this.#begin(lines);
    }
  }

  async #greet(value: Readonly<Record<string, unknown>>, lines: Line[]): Promise<void> {
    const hello = readHello(value);
    if (hello.ack && this.#stream !== undefined) await this.#acknowledge(this.#stream, hello);
    if (this.#on('stream')) await this.#begin(lines);
  }

  async #acknowledge(stream: AgentStream, hello: Hello): Promise<void> {
    const { connections, context } = this.host;
    const onFailure = (reason: CloseReason): void => this.#close(reason);
    const gateway = context.gatewayId;
    const acks = new AckSession({ socket: this.peer.socket, gateway, connections, onFailure });
    this.#acks = acks;
    stream.acknowledge(acks);
    if (!hello.answer) return;
    this.#on('resume');
    this.#clock.suspend();
    const holder = {
      ended: () => this.#ending,
      supersede: () => this.#close('superseded'),
    };
    const taken = await resumeStream(this.#spki, hello, this.host.streams, acks, holder);
    this.#clock.resume();
    if (!taken.ok) this.#close('stream_busy');
    else if (taken.numbers !== undefined) stream.number(taken.numbers);
  }

  async #begin(lines: Line[]): Promise<void> {
    if (this.#stream === undefined) return;
    this.#stream.connected();
    await this.#deliver(this.#stream, lines);
  }

  async #enroll(value: Readonly<Record<string, unknown>>, others: Line[]): Promise<void> {
    const { context, metrics } = this.host;
    this.#on('enroll');
    this.#clock.suspend();
    const peer = {
      spkiHash: this.#spki,
      sourceIp: this.peer.remoteAddress,
      weakness: weaknessOf(this.peer.socket),
    };
    const { outcome, reason, ban, answer } = await enroll(value, peer, context.services);
    metrics.enrollments.add(1, { outcome });
    this.#logger.info({ spkiHash: this.#spki, outcome }, 'Enrollment decided');
    // What an allowlisted agent sent together with its request is not lost.
    if (this.#stream !== undefined) await this.#deliver(this.#stream, others);
    if (ban !== undefined) this.peer.violated(ban);
    this.#close(reason, answer);
  }

  /** Hands lines on; while the pipeline has no room, the peer waits, and that is not its silence. */
  async #deliver(stream: AgentStream, lines: readonly Line[]): Promise<void> {
    if (lines.length === 0) return;
    this.#clock.suspend();
    await stream.deliver(lines);
    this.#clock.resume();
    if (!stream.tooManyMalformed || this.#ending) return;
    this.#logger.warn({ spkiHash: this.#spki }, 'Too many lines are not messages; closing the connection');
    this.#endStream('protocol_violation');
  }

  #unknown(): void {
    this.host.metrics.unknownAgents.add(1);
    this.#logger.info({ spkiHash: this.#spki }, 'Closed a connection of an agent that is not enrolled');
    this.#close('unknown_agent');
  }

  #oversized(): void {
    const { maxBytes } = this.#framer;
    this.#logger.warn({ spkiHash: this.#spki, maxBytes }, 'Message over the size limit, connection dropped');
    this.#close('oversized_message');
  }

  #punish(ban: string, reason: CloseReason): void {
    if (!this.#ending) this.peer.violated(ban);
    this.#close(reason);
  }

  /**
   * Ends an agent's stream. One with Acks is told what of it is durable, and sends the rest again; of another one what the
   * agent still sends before it has ended its side is taken too.
   */
  #endStream(reason: CloseReason): void {
    if (this.#acks !== undefined) return this.#close(reason);
    if (!this.#on('linger')) return;
    this.#reason = reason;
    this.#clock.stopping();
    this.peer.socket.end();
  }

  /** Ends the connection; the first reason counts. */
  #close(reason: CloseReason, answer?: string): void {
    const secured = this.#state !== 'handshake';
    if (!this.#on('close')) return;
    this.#reason = reason;
    this.#clock.stop();
    this.#reader.stop();
    if (this.#acks !== undefined && tellsLastAcks(reason)) return;
    this.#acks?.stop();
    const { socket } = this.peer;
    if (!secured) socket.destroy();
    else if (answer === undefined) endSoon(socket);
    else endWith(socket, answer, (bytes) => (this.#lost += bytes));
  }

  /** Everything is handed over: tells an agent that asked for it when it is durable, and only then ends the socket. */
  async #lastAcks(): Promise<void> {
    if (this.#acks === undefined) return;
    this.#acks.handedOver();
    if (!tellsLastAcks(this.#reason)) return;
    const { idleTimeoutMs } = this.host.context.services.connectionSettings.current;
    await this.#acks.finish(lastAcksMs(idleTimeoutMs));
    endWith(this.peer.socket, undefined, (bytes) => (this.#lost += bytes));
  }

  async #finish(): Promise<CloseReason> {
    this.#close('ended');
    if (this.#on('linger_over')) {
      this.#clock.stop();
      endSoon(this.peer.socket);
    }
    await this.peer.closed;
    const reason = this.#reason ?? 'ended';
    this.#lost += this.#framer.discard();
    if (this.#stream !== undefined) {
      const discarded = this.#lost + this.peer.socket.readableLength;
      if (discarded > 0) this.host.metrics.bytesDiscarded.add(discarded, { reason });
      this.#stream.disconnected();
    }
    this.#logger.debug({ reason }, 'Connection closed');
    return reason;
  }
}
