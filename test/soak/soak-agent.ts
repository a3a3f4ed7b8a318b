import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { sleep } from '@activity-gateway/pipeline/helpers';
import type { AgentPlan, AgentTotals } from './agent-messages.js';
import { EventLines } from './event-lines.js';
import { Offer } from './offer.js';

/** Events of one write at most: about 64 KiB. */
const MAX_WRITE_EVENTS = 160;
/** How often an agent with a rate looks at what is due, ms. */
const PACE_MS = 20;
/** How long the end of a connection may take, ms: what waits in the gateway is acknowledged before. */
const END_MS = 60_000;
const RECONNECT_MS = 200;

/** An agent that streams numbered events with Acks, written from `docs/reference/protocol.md`, and measures how long the Acks take. */
export class SoakAgent {
  readonly #lines: EventLines;
  readonly #offer: Offer;
  #acked = 0;
  #connections = 0;
  #broken = 0;
  #stopping = false;

  /** @param onLatency called for each write that is acknowledged, with the time since, ms */
  constructor(
    private readonly plan: AgentPlan,
    private readonly port: number,
    private readonly onLatency: (ms: number) => void,
  ) {
    this.#lines = new EventLines(plan.name, plan.badEvery);
    this.#offer = new Offer(plan.perSecond);
  }

  totals(): AgentTotals {
    const { made: sent, bad, name } = this.#lines;
    const offered = this.#offer.offered(sent);
    return {
      name,
      offered,
      sent,
      bad,
      acked: this.#acked,
      connections: this.#connections,
      broken: this.#broken,
    };
  }

  /** A new rate, from now on. */
  rate(perSecond: number | null): void {
    this.#offer.change(perSecond, this.#lines.made);
  }

  /** Offers nothing more; `run` resolves when all is acknowledged. */
  stop(): void {
    this.#stopping = true;
  }

  /** Streams until `stop`. */
  async run(): Promise<void> {
    while (!this.#stopping) {
      await this.#connection().catch(() => (this.#broken += 1));
      if (!this.#stopping) await sleep(RECONNECT_MS);
    }
  }

  async #connection(): Promise<void> {
    const { certPem: cert, keyPem: key, reconnectMs, name } = this.plan;
    const options = { host: '127.0.0.1', port: this.port, cert, key, rejectUnauthorized: false };
    const socket = connect({ ...options, minVersion: 'TLSv1.3' });
    const stream = new Stream(socket, this.onLatency, (count) => (this.#acked += count));
    try {
      await once(socket, 'secureConnect');
      this.#connections += 1;
      socket.write(`${JSON.stringify({ MessageType: 'Hello', Ack: true, AgentHost: name })}\n`);
      const until = reconnectMs === null ? Infinity : performance.now() + reconnectMs;
      while (!this.#stopping && !stream.ended && performance.now() < until) await this.#send(stream);
      if (stream.ended) throw new Error('The gateway has closed the connection.');
      socket.end();
      await Promise.race([stream.closed, sleep(END_MS)]);
      if (stream.open > 0) throw new Error(`${stream.open} events were not acknowledged.`);
    } finally {
      socket.destroy();
    }
  }

  async #send(stream: Stream): Promise<void> {
    const due = Math.min(this.#offer.due(this.#lines.made), MAX_WRITE_EVENTS);
    if (due > 0) await stream.write(this.#lines.take(due), due);
    if (due < MAX_WRITE_EVENTS) await sleep(PACE_MS);
  }
}

/** One connection: what was written and not acknowledged yet. */
class Stream {
  readonly closed: Promise<void>;
  ended = false;
  #written = 0;
  #acked = 0;
  #tail = '';
  #unacked: { readonly upTo: number; readonly at: number }[] = [];

  constructor(
    private readonly socket: TLSSocket,
    private readonly onLatency: (ms: number) => void,
    private readonly onAcked: (events: number) => void,
  ) {
    socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    socket.on('error', () => (this.ended = true));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.ended = true;
        resolve();
      });
    });
  }

  /** Events that are not acknowledged. */
  get open(): number {
    return this.#written - this.#acked;
  }

  /** Hands events to the socket, and waits while the gateway does not read. */
  async write(bytes: Buffer, events: number): Promise<void> {
    this.#written += events;
    this.#unacked.push({ upTo: this.#written, at: performance.now() });
    if (this.socket.write(bytes) || this.ended) return;
    await Promise.race([once(this.socket, 'drain'), this.closed]);
  }

  #read(text: string): void {
    const lines = (this.#tail + text).split('\n');
    this.#tail = lines.pop() ?? '';
    for (const line of lines) this.#acknowledged((JSON.parse(line) as { Messages: number }).Messages);
  }

  #acknowledged(count: number): void {
    const now = performance.now();
    this.onAcked(count - this.#acked);
    this.#acked = count;
    let ended = 0;
    for (const { upTo, at } of this.#unacked) {
      if (upTo > count) break;
      this.onLatency(now - at);
      ended += 1;
    }
    this.#unacked.splice(0, ended);
  }
}
