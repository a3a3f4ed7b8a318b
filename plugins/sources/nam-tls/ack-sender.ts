import type { Writable } from 'node:stream';

/** How Acks are sent. */
export interface AckSenderOptions {
  /** At most one Ack in this time, ms; asked for each. */
  readonly intervalMs: () => number;
  /** How long the peer may leave an Ack unread, ms. */
  readonly unreadMs: number;
  /** The peer reads nothing: called once. */
  readonly onUnread: () => void;
  /** All that was reported has left this process. */
  readonly onSent: () => void;
}

/** What the answer to a Hello says beside the number of messages, which is 0. */
export interface HelloAnswer {
  /** Name of the gateway that answers. */
  readonly gateway: string;
  /** Last number of the stream that is durable; missing where the gateway does not recognize resent messages. */
  readonly sequence: number | undefined;
}

/** The line that tells how many messages are durable, with its line end (`docs/reference/protocol.md`, Acknowledgements). */
function ackLine(messages: number, { sequence, gateway }: Partial<HelloAnswer> = {}): string {
  const line = { MessageType: 'Ack', Messages: messages, Sequence: sequence, Gateway: gateway };
  return `${JSON.stringify(line)}\n`;
}

/**
 * Tells a peer the latest number: at once after a pause, else once an interval. The next Ack is not written before the
 * one before has left this process, so a peer that never reads costs one line of memory. One timer, while there is
 * something to send.
 */
export class AckSender {
  #reported = 0;
  #sent = 0;
  #sentAt = -Infinity;
  #writing = false;
  #urgent = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Writable,
    private readonly options: AckSenderOptions,
  ) {}

  /** Whether nothing is left to send. */
  get idle(): boolean {
    return !this.#writing && this.#sent === this.#reported;
  }

  /** From now on this many messages are durable. */
  report(messages: number): void {
    this.#reported = messages;
    this.#schedule();
  }

  /** Answers the Hello before anything is reported. */
  answer(answer: HelloAnswer): void {
    this.#write(ackLine(0, answer));
  }

  /** From now on nothing is held back for its interval: the connection ends. */
  flush(): void {
    this.#urgent = true;
    if (this.#writing) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#schedule();
  }

  /** Sends nothing more and lets go of the timer. Safe twice. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#stopped || this.#timer !== undefined || this.#writing || this.#sent === this.#reported) return;
    const wait = this.#urgent ? 0 : this.#sentAt + this.options.intervalMs() - performance.now();
    if (wait <= 0) this.#send();
    else this.#timer = setTimeout(() => this.#send(), wait);
  }

  #send(): void {
    this.#sentAt = performance.now();
    this.#sent = this.#reported;
    this.#write(ackLine(this.#sent));
  }

  #write(line: string): void {
    if (this.#stopped || !this.socket.writable) return;
    this.#writing = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#unread(), this.options.unreadMs);
    this.socket.write(line, () => this.#written());
  }

  #written(): void {
    this.#writing = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#stopped) return;
    this.#schedule();
    if (this.idle) this.options.onSent();
  }

  #unread(): void {
    this.stop();
    this.options.onUnread();
  }
}
