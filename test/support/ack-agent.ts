import { sleep } from '@app/pipeline/helpers';
import { RawAgent, type AgentCredentials } from './raw-agent.js';

/** What an acknowledging agent does with what was not acknowledged when its connection broke. */
export type Resend = 'never' | 'always';

/**
 * An agent that streams file events with Acks, written from `docs/PROTOCOL.md` alone. It keeps what it sent and what
 * was acknowledged by the number of the event, which is in the event's path: the oracle of the chaos suite.
 */
export class AckAgent {
  /** Events that the gateway has acknowledged: these must be in ClickHouse exactly once, whatever happens. */
  readonly acknowledged = new Set<number>();
  /** Events that were handed to more than one connection. */
  readonly resent = new Set<number>();
  sent = 0;
  connections = 0;
  #stopping = false;

  constructor(
    readonly name: string,
    private readonly port: () => number,
    private readonly credentials: AgentCredentials,
    private readonly resend: Resend,
    private readonly perSecond: number,
  ) {}

  /** Streams until `stop`, over as many connections as it takes; resolves when the last one is over. */
  async run(): Promise<void> {
    let pending: number[] = [];
    while (!this.#stopping || (this.resend === 'always' && pending.length > 0)) {
      pending = await this.#connection(pending).catch(() => pending);
      if (this.resend === 'never') pending = [];
      await sleep(50);
    }
  }

  /** Sends nothing new; the connection ends cleanly and takes the last Acks. */
  stop(): void {
    this.#stopping = true;
  }

  /** One connection; gives the events on it that were not acknowledged. */
  async #connection(again: readonly number[]): Promise<number[]> {
    const stream = await RawAgent.connect(this.port(), this.credentials);
    this.connections += 1;
    const onConnection: number[] = [];
    const acked = (): number => this.#take(stream, onConnection);
    try {
      await stream.send({ MessageType: 'Hello', Ack: true, AgentHost: this.name });
      for (let i = 0; i < again.length && !stream.closed; i += 100) {
        const part = again.slice(i, i + 100);
        for (const id of part) this.resent.add(id);
        await this.#send(stream, onConnection, part);
      }
      while (!this.#stopping && !stream.closed) {
        const ids = Array.from({ length: Math.ceil(this.perSecond / 50) }, () => this.sent++);
        await this.#send(stream, onConnection, ids);
        await sleep(20);
        acked();
      }
      // What a gateway that is away for long does not answer must not keep the test.
      await within(60_000, stream.end());
    } finally {
      stream.socket.destroy();
    }
    return onConnection.slice(acked());
  }

  async #send(stream: RawAgent, onConnection: number[], ids: readonly number[]): Promise<void> {
    onConnection.push(...ids);
    const lines = ids.map((id) => `${JSON.stringify(this.#event(id))}\n`);
    await stream.sendBytes(lines.join(''));
  }

  #event(id: number): object {
    return {
      TimeLogged: new Date().toISOString(),
      ActivityType: 'FileSystem',
      Host: 'CHAOS',
      Operation: 'Read',
      Path: `${this.name}/${id}`,
      UserName: 'CORP\\chaos',
    };
  }

  /** Reads the latest Ack; gives how many messages of the connection it covers. */
  #take(stream: RawAgent, onConnection: readonly number[]): number {
    const lines = stream.received.split('\n').slice(0, -1);
    const last = lines.at(-1);
    if (last === undefined) return 0;
    const { Messages: count } = JSON.parse(last) as { Messages: number };
    for (let i = this.#marked.get(stream) ?? 0; i < count; i += 1) this.acknowledged.add(onConnection[i]!);
    this.#marked.set(stream, count);
    return count;
  }

  readonly #marked = new WeakMap<RawAgent, number>();
}

/** Waits for a promise, but not for longer than so many ms. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([promise.finally(() => over.abort()), sleep(ms, over.signal)]);
}
