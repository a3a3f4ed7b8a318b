import { randomBytes } from 'node:crypto';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { RawAgent, type AgentCredentials } from './raw-agent.js';

/**
 * What an acknowledging agent does with what was not acknowledged when its connection broke. `never`: forgets it.
 * `always`: sends it again. `numbered`: sends it again in a numbered stream, so that the gateway recognises what it has.
 */
export type Resend = 'never' | 'always' | 'numbered';

/** Who an agent is and what it does. */
export interface AckAgentOptions {
  readonly name: string;
  /** `Host` of its events. */
  readonly host: string;
  /** Asked for each connection. */
  readonly port: () => number;
  readonly credentials: AgentCredentials;
  readonly resend: Resend;
  /** Events a second. */
  readonly perSecond: number;
  /** Bytes that make each event larger. */
  readonly padding?: number;
}

/** Events of one write of a resend. */
const RESEND_EVENTS = 100;
const TICK_MS = 20;
/** What a gateway that is away for long does not answer must not keep the test, ms. */
const END_MS = 60_000;

/**
 * An agent that streams file events with Acks, written from `docs/reference/protocol.md` alone. It keeps what it sent and what
 * was acknowledged by the number of the event, which is in the event's path: the oracle of the chaos suite.
 */
export class AckAgent {
  /** Events that the gateway has acknowledged: these must be in ClickHouse exactly once, whatever happens. */
  readonly acknowledged = new Set<number>();
  /** Events that were handed to more than one connection and that the gateway need not recognise: they may be there twice. */
  readonly mayBeTwice = new Set<number>();
  /** Events that were handed to a further connection, each time counted. */
  resent = 0;
  /** Answers to a Hello that named the stream and were not `Sequence`. */
  unrecognised = 0;
  sent = 0;
  connections = 0;
  readonly #stream = randomBytes(16).toString('hex');
  /** Handed to a connection and not acknowledged, in order and without a gap. */
  #pending: number[] = [];
  #stopping = false;

  constructor(private readonly options: AckAgentOptions) {}

  get name(): string {
    return this.options.name;
  }

  get resend(): Resend {
    return this.options.resend;
  }

  /** Streams until `stop`, over as many connections as it takes; resolves when the last one is over. */
  async run(): Promise<void> {
    const { resend } = this.options;
    while (!this.#stopping || (resend !== 'never' && this.#pending.length > 0)) {
      await this.#connection().catch(() => undefined);
      if (resend === 'never') this.#pending = [];
      await sleep(50);
    }
  }

  /** Sends nothing new; the connection ends cleanly and takes the last Acks. */
  stop(): void {
    this.#stopping = true;
  }

  /** Gives up what is not acknowledged as well, for a test that is over. */
  abandon(): void {
    this.#stopping = true;
    this.#pending = [];
  }

  /** One connection: first what is pending, then new events. */
  async #connection(): Promise<void> {
    const { port, credentials, perSecond } = this.options;
    const connection = new AckedConnection(await RawAgent.connect(port(), credentials), this.#pending);
    this.connections += 1;
    const take = (): void => this.#take(connection);
    try {
      await connection.raw.send(this.#hello());
      const again = [...this.#pending];
      for (let i = 0; i < again.length && connection.open; i += RESEND_EVENTS) {
        await this.#sendAgain(connection, again.slice(i, i + RESEND_EVENTS));
      }
      while (!this.#stopping && connection.open) {
        const ids = Array.from({ length: Math.ceil((perSecond * TICK_MS) / 1000) }, () => this.sent++);
        this.#pending.push(...ids);
        connection.ids.push(...ids);
        await connection.raw.sendBytes(this.#lines(ids));
        await sleep(TICK_MS);
        take();
      }
      await within(END_MS, connection.raw.end());
    } finally {
      connection.raw.socket.destroy();
      take();
    }
  }

  #hello(): object {
    const hello = { MessageType: 'Hello', Ack: true, AgentHost: this.name };
    if (this.options.resend !== 'numbered') return hello;
    return { ...hello, Stream: this.#stream, Sequence: (this.#pending[0] ?? this.sent) + 1 };
  }

  async #sendAgain({ raw }: AckedConnection, ids: readonly number[]): Promise<void> {
    this.resent += ids.length;
    if (this.options.resend !== 'numbered') for (const id of ids) this.mayBeTwice.add(id);
    await raw.sendBytes(this.#lines(ids));
  }

  #lines(ids: readonly number[]): string {
    return ids.map((id) => `${JSON.stringify(this.#event(id))}\n`).join('');
  }

  #event(id: number): object {
    const { name, host, padding = 0 } = this.options;
    return {
      TimeLogged: new Date().toISOString(),
      ActivityType: 'FileSystem',
      Host: host,
      Operation: 'Read',
      Path: `${name}/${id}`,
      UserName: 'CORP\\chaos',
      ...(padding > 0 && { OldValue: `${id}`.padEnd(padding, 'x') }),
    };
  }

  /** Learns from the latest Ack of a connection. */
  #take(connection: AckedConnection): void {
    const { fresh, unrecognised } = connection.read();
    for (const id of fresh) this.acknowledged.add(id);
    if (fresh.length > 0) this.#pending = this.#pending.filter((id) => !this.acknowledged.has(id));
    if (unrecognised && this.options.resend === 'numbered') this.unrecognised += 1;
  }
}

/** A connection, the events on it by their place, and how far they are acknowledged. */
class AckedConnection {
  readonly ids: number[];
  #acknowledged = 0;
  #answered = false;

  /** @param first events that are sent on it first */
  constructor(
    readonly raw: RawAgent,
    first: readonly number[],
  ) {
    this.ids = [...first];
  }

  get open(): boolean {
    return !this.raw.closed;
  }

  /** The events that are acknowledged since the last call, and whether the first answer, if it is new, names no number. */
  read(): { readonly fresh: readonly number[]; readonly unrecognised: boolean } {
    const { received } = this.raw;
    const end = received.lastIndexOf('\n');
    if (end < 0) return { fresh: [], unrecognised: false };
    const unrecognised = !this.#answered && !received.slice(0, received.indexOf('\n')).includes('"Sequence"');
    this.#answered = true;
    const last = received.slice(received.lastIndexOf('\n', end - 1) + 1, end);
    const { Messages: count } = JSON.parse(last) as { Messages: number };
    const fresh = this.ids.slice(this.#acknowledged, count);
    this.#acknowledged = Math.max(this.#acknowledged, count);
    return { fresh, unrecognised };
  }
}

/** Waits for a promise, but not for longer than so many ms. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  const over = new AbortController();
  await Promise.race([promise.finally(() => over.abort()), sleep(ms, over.signal)]);
}
