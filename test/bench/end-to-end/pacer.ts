import type { Latency } from './generator-messages.js';
import type { Sender } from './sender.js';

const TICK_MS = 5;
/** Longest wait for the last Acks. */
const LAST_ACKS_MS = 30_000;

const HELLO = `${JSON.stringify({ MessageType: 'Hello', Ack: true, AgentHost: 'BENCH' })}\n`;

/** A connection whose writes wait for their Acks. */
class Acknowledged {
  readonly #writes: { readonly upTo: number; readonly events: number; readonly at: number }[] = [];
  #oldest = 0;
  #sent = 0;
  #rest = '';

  constructor(
    private readonly sender: Sender,
    private readonly settled: (ms: number, events: number) => void,
  ) {
    sender.socket.on('data', (chunk: Buffer) => this.#read(chunk));
    sender.socket.write(HELLO);
  }

  get done(): boolean {
    return this.#oldest === this.#writes.length;
  }

  push(events: number): void {
    this.sender.check();
    this.#sent += events;
    this.#writes.push({ upTo: this.#sent, events, at: performance.now() });
    this.sender.push(events);
  }

  check(): void {
    this.sender.check();
  }

  #read(chunk: Buffer): void {
    const now = performance.now();
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#ack((JSON.parse(line) as { Messages: number }).Messages, now);
  }

  #ack(messages: number, now: number): void {
    for (let write = this.#writes[this.#oldest]; write !== undefined && write.upTo <= messages;) {
      this.settled(now - write.at, write.events);
      this.#oldest += 1;
      write = this.#writes[this.#oldest];
    }
  }
}

/** Sends at a fixed rate and measures how long Acks take. Falling behind shows as latency, never as a lower rate. */
export class Pacer {
  readonly #connections: readonly Acknowledged[];
  readonly #samples: { readonly ms: number; readonly events: number }[] = [];

  /** @param senders connections on which nothing was sent yet */
  constructor(senders: readonly Sender[]) {
    const settled = (ms: number, events: number): void => void this.#samples.push({ ms, events });
    this.#connections = senders.map((sender) => new Acknowledged(sender, settled));
  }

  /** @throws Error when a connection breaks, or the last Ack does not come */
  async run(ms: number, perSecond: number): Promise<void> {
    const start = performance.now();
    let sent = 0;
    let turn = 0;
    for (let elapsed = 0; elapsed < ms; elapsed = performance.now() - start) {
      const due = Math.floor((Math.min(elapsed, ms) * perSecond) / 1_000) - sent;
      const each = Math.ceil(due / this.#connections.length);
      for (let left = due; left > 0; left -= each, turn += 1) {
        this.#connections[turn % this.#connections.length]?.push(Math.min(each, left));
      }
      sent += Math.max(0, due);
      await tick();
    }
    await this.#lastAcks();
  }

  /** @throws Error when nothing was acknowledged */
  latency(): Latency {
    const sorted = [...this.#samples].sort((a, b) => a.ms - b.ms);
    const total = sorted.reduce((sum, { events }) => sum + events, 0);
    const at = (share: number): number => {
      let seen = 0;
      const sample = sorted.find(({ events }) => (seen += events) >= share * total);
      if (sample === undefined) throw new Error('Nothing was acknowledged.');
      return Number(sample.ms.toFixed(1));
    };
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  async #lastAcks(): Promise<void> {
    const end = performance.now() + LAST_ACKS_MS;
    while (!this.#connections.every((connection) => connection.done)) {
      for (const connection of this.#connections) connection.check();
      if (performance.now() > end) throw new Error(`The last Acks did not come within ${LAST_ACKS_MS} ms.`);
      await tick();
    }
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
