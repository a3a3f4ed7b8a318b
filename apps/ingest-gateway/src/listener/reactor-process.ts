import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { AcceptedConnection, DrainReport, ReplayOutcome } from '@activity-gateway/pipeline/host';
import type { ConnectionEnd, Logger, SequenceRange } from '@activity-gateway/pipeline/api';
import type { EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import { Channel } from '../reactor/channel.js';
import type {
  AgentReports,
  ControlChannel,
  ControlNotice,
  FromReactor,
  ReactorStatus,
  ReplayRequest,
  ToReactor,
} from '../reactor/messages.js';
import type { ForkedReactor } from './reactor-launcher.js';
import type { StreamPeer } from './stream-claim-broker.js';

/** What a reactor tells the rest of the data plane. */
export interface ReactorEvents {
  /** The process is up and waits for its configuration. */
  hello(): void;
  ready(): void;
  failed(reason: string): void;
  /** It has told its status. */
  status(): void;
  /** The peer of a connection has proved to hold a known key. */
  connectionIdentified(id: string, key: string): void;
  /** The peer of a connection has broken a rule. */
  connectionViolated(id: string, reason: string): void;
  /** A connection that was handed over is closed; once for each. */
  connectionClosed(id: string): void;
  agentsSeen(spkiHashes: readonly string[], at: number, reports: AgentReports): void;
  enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome>;
  /** It claims a stream; as `StreamClaimBroker.claim`. */
  claimStream(
    stream: string,
    by: StreamPeer,
    answer: (durable: readonly SequenceRange[] | undefined) => void,
  ): Promise<void>;
  /** A write waits for a permit of the pool. */
  permitWanted(pool: string, process: ReactorProcess, grant: () => void): void;
  permitDone(pool: string, process: ReactorProcess): void;
}

/** How long after its deadline a draining process may take to exit, ms. */
const EXIT_GRACE_MS = 1_000;

/** One run of a reactor's child process, until its exit. Everything it held is given back when it ends. */
export class ReactorProcess implements StreamPeer {
  /** Resolves, with a sentence for operators, when the process is gone and its connections are counted as closed. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #open = new Set<string>();
  /** Sockets that may not have left this process yet. */
  readonly #leaving = new Map<string, Socket>();
  readonly #agents = new Map<string, string>();
  readonly #channel: ControlChannel;
  #status: ReactorStatus | undefined;
  #lastMetrics: readonly object[] | undefined;
  #reports: readonly DrainReport[] | undefined;

  constructor(
    forked: ForkedReactor,
    private readonly events: ReactorEvents,
    private readonly logger: Logger,
  ) {
    this.#child = forked.child;
    this.#channel = new Channel((message) => this.#send(message), {
      enroll: (request, answer) => void events.enroll(request).then(answer),
      'write-permit': (pool, answer) => events.permitWanted(pool, this, () => answer(null)),
      'claim-stream': (stream, answer) =>
        void events.claimStream(stream, this, (durable) => answer(durable ?? null)),
    });
    forked.listen((message) => this.#receive(message));
    this.exited = new Promise((resolve) => {
      const ended = (reason: string): void => {
        this.#giveBack();
        resolve(reason);
      };
      this.#child.on('error', (error) => {
        logger.error({ err: error }, 'Reactor process error');
        if (this.#child.pid === undefined) ended(`could not be started: ${error.message}`);
      });
      this.#child.once('exit', (code, signal) => ended(`ended with ${signal ?? `code ${code}`}`));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Connections handed over and not closed yet. */
  get connections(): number {
    return this.#open.size;
  }

  /** SPKI hashes of the agents that stream, by connection. */
  get agents(): ReadonlyMap<string, string> {
    return this.#agents;
  }

  /** What it told last. */
  get status(): ReactorStatus | undefined {
    return this.#status;
  }

  /** Its prom-client metrics as JSON, as it gave them last. */
  get lastMetrics(): readonly object[] | undefined {
    return this.#lastMetrics;
  }

  /** Whether it has said that it is drained: what it told last is final. */
  get drained(): boolean {
    return this.#reports !== undefined;
  }

  /** Tells it something; a process that is gone, nothing. */
  notify(notice: ControlNotice): void {
    this.#channel.notify(notice);
  }

  #send(message: ToReactor): void {
    if (!this.#child.connected) return;
    this.#child.send(message, (error) => {
      if (error !== null) this.logger.debug({ err: error }, 'Message to a reactor was not sent');
    });
  }

  /** Hands a paused, unread socket over; this process lets go of it. */
  forward({ socket, known = false, ...announced }: AcceptedConnection): void {
    const { id } = announced;
    this.#open.add(id);
    this.#leaving.set(id, socket);
    // Node's own way to let go of a socket (`keepOpen: false`) leaks it when the process dies before it has confirmed
    // the receipt. Once the message is written, the kernel holds the socket for the other side: this copy can go.
    this.#child.send({ type: 'connection', ...announced, known }, socket, { keepOpen: true }, (error) => {
      this.#leaving.delete(id);
      socket.destroy();
      if (error !== null) this.#closed(id);
    });
  }

  /** Cuts a connection, if it was handed over to this process. */
  cut(id: string): void {
    if (this.#open.has(id)) this.notify({ type: 'cut-connection', id });
  }

  /** Ends a connection gracefully, if it was handed over to this process. */
  end(id: string, reason: ConnectionEnd): void {
    if (this.#open.has(id)) this.notify({ type: 'end-connection', id, reason });
  }

  /** How long those of the connections that it has have been silent, ms; `undefined` when it does not answer in time. */
  async silences(
    ids: readonly string[],
    timeoutMs: number,
  ): Promise<Readonly<Record<string, number>> | undefined> {
    const own = ids.filter((id) => this.#open.has(id));
    return own.length === 0 ? {} : this.#channel.request('silences', own, timeoutMs);
  }

  /** Its prom-client metrics as JSON, or `undefined` when it does not answer in time. */
  async collectMetrics(timeoutMs: number): Promise<readonly object[] | undefined> {
    const metrics = await this.#channel.request('metrics', null, timeoutMs);
    this.#lastMetrics = metrics ?? this.#lastMetrics;
    return metrics;
  }

  async releaseStream(stream: string, timeoutMs: number): Promise<readonly SequenceRange[] | undefined> {
    return (await this.#channel.request('release-stream', stream, timeoutMs)) ?? undefined;
  }

  /** Tries dead letters again; `undefined` when it does not answer in time, so that nobody knows what it did. */
  replay(request: ReplayRequest, timeoutMs: number): Promise<readonly ReplayOutcome[] | undefined> {
    return this.#channel.request('replay', request, timeoutMs);
  }

  /** Lets it write out what it holds, then ends it, by force a moment after the deadline. May be called again with an earlier one. */
  async drain(deadline: number): Promise<readonly DrainReport[]> {
    this.notify({ type: 'drain', deadline });
    const timer = setTimeout(() => this.kill(), Math.max(0, deadline - Date.now()) + EXIT_GRACE_MS);
    await this.exited;
    clearTimeout(timer);
    return this.#reports ?? this.#lastKnown();
  }

  /** Of one that died on the way: what it said last that it holds is on disk, where it has a spool. */
  #lastKnown(): readonly DrainReport[] {
    return (this.#status?.pipelines ?? []).flatMap(({ name, counts, queue }) =>
      queue.spool === undefined || queue.rows === 0
        ? []
        : [{ pipeline: name, written: 0, left: counts.inFlight, waiting: queue.rows }],
    );
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(message: FromReactor): void {
    switch (message.type) {
      case 'request':
      case 'answer':
        return this.#channel.receive(message);
      case 'hello':
        return this.events.hello();
      case 'ready':
        return this.events.ready();
      case 'failed':
        return this.events.failed(message.reason);
      case 'status':
        this.#status = message.status;
        return this.events.status();
      case 'connection-identified':
        return this.events.connectionIdentified(message.id, message.key);
      case 'connection-violated':
        return this.events.connectionViolated(message.id, message.reason);
      case 'connection-closed':
        return this.#closed(message.id);
      case 'agent-connected':
        this.#agents.set(message.connectionId, message.spkiHash);
        return;
      case 'agent-disconnected':
        this.#agents.delete(message.connectionId);
        return;
      case 'agents-seen':
        return this.events.agentsSeen(message.spkiHashes, message.at, message.reports);
      case 'write-permit-done':
        return this.events.permitDone(message.pool, this);
      case 'final-metrics':
        this.#lastMetrics = message.metrics;
        return;
      case 'drained':
        this.#reports = message.reports;
        return;
    }
  }

  #closed(id: string): void {
    this.#agents.delete(id);
    if (this.#open.delete(id)) this.events.connectionClosed(id);
  }

  #giveBack(): void {
    for (const socket of this.#leaving.values()) socket.destroy();
    this.#leaving.clear();
    for (const id of [...this.#open]) this.#closed(id);
    this.#channel.close();
  }
}
