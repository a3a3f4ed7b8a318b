import { GatewayError } from '@activity-gateway/pipeline/api';
import type { Ack } from './acks.js';
import type { AgentProgress } from './agent-progress.js';
import type { EventStream } from './event-stream.js';
import type { MessageChunk } from './message-source.js';
import { Reconnects } from './reconnects.js';
import type { AcknowledgedOptions, RunAgentOptions } from './run-options.js';
import { MemoryUnacknowledged, type UnacknowledgedMessages } from './unacknowledged.js';
import { Wake } from './wake.js';

const NEVER = new AbortController().signal;
const END_TIMEOUT_MS = 60_000;
const OTHER_GATEWAY_AFTER_MS = 30_000;

/** Streams with acknowledgements: what a connection that breaks had not acknowledged is sent again, in order. */
export class AcknowledgedRun {
  readonly #held: UnacknowledgedMessages;
  readonly #reconnects: Reconnects;
  readonly #stop: AbortSignal;
  /** Aborts when what is unacknowledged is given up. */
  readonly #giveUp = new AbortController();
  readonly #wake = new Wake();
  #asked = false;
  #taken: MessageChunk | undefined;
  #sourceFailure: { readonly error: unknown } | undefined;
  #sourceEnded = false;
  /** Number of the first message that was never handed to a connection. */
  #unsent: number;
  /** The gateway that the unacknowledged messages were sent to, where it has told its name. */
  #gateway: string | undefined;
  /** Since when other gateways answer in its place, ms of `Date.now`. */
  #missingSince: number | undefined;
  #connections = 0;

  constructor(
    private readonly options: RunAgentOptions,
    private readonly acks: AcknowledgedOptions,
    private readonly progress: AgentProgress,
  ) {
    this.#held = acks.held ?? new MemoryUnacknowledged();
    this.#unsent = this.#held.first;
    this.#reconnects = new Reconnects(options);
    this.#stop = AbortSignal.any([options.stop ?? NEVER, options.abort ?? NEVER]);
  }

  /** Runs until everything is acknowledged or given up. */
  async run(): Promise<void> {
    const release = this.#listen();
    try {
      while (await this.#hasWork()) {
        const startedAt = Date.now();
        const { acknowledged } = this.progress;
        const failure = await this.#serve();
        if (failure === undefined || this.#giveUp.signal.aborted) break;
        // Waiting for one gateway has a limit of its own.
        const good = this.progress.acknowledged > acknowledged || failure.code === 'AGENT_OTHER_GATEWAY';
        await this.#reconnects.after(failure, Date.now() - startedAt, good, this.#giveUp.signal);
      }
    } finally {
      release();
      this.progress.leftUnacknowledged(this.#held.size);
    }
  }

  /** A stop leaves some time for the Acks that are still to come; an abort leaves none. */
  #listen(): () => void {
    const { abort = NEVER, endTimeoutMs = END_TIMEOUT_MS } = this.options;
    let timer: NodeJS.Timeout | undefined;
    const giveUp = (): void => {
      this.#giveUp.abort();
      this.#wake.wake();
    };
    const onStop = (): void => {
      timer = setTimeout(giveUp, endTimeoutMs);
      this.#wake.wake();
    };
    this.#stop.addEventListener('abort', onStop, { once: true });
    abort.addEventListener('abort', giveUp, { once: true });
    if (this.#stop.aborted) onStop();
    if (abort.aborted) giveUp();
    return () => {
      clearTimeout(timer);
      this.#stop.removeEventListener('abort', onStop);
      abort.removeEventListener('abort', giveUp);
    };
  }

  /** A gateway closes connections that say nothing, so one is opened when there is something to say. */
  async #hasWork(): Promise<boolean> {
    while (!this.#giveUp.signal.aborted) {
      if (this.#held.size > 0 || this.#taken !== undefined) return true;
      if (this.#noMore()) return false;
      this.#ask();
      await this.#wake.wait();
    }
    return false;
  }

  /** One connection: until everything is acknowledged (`undefined`) or it fails (why). */
  async #serve(): Promise<GatewayError | undefined> {
    let stream: EventStream | undefined;
    const destroy = (): void => stream?.destroy();
    try {
      const first = this.#held.first;
      const hello = { agentHost: this.acks.agentHost, stream: this.#held.stream, sequence: first };
      stream = await this.options.client.stream(this.#giveUp.signal, hello);
      this.#giveUp.signal.addEventListener('abort', destroy, { once: true });
      this.progress.opened(this.#connections === 0);
      this.#connections += 1;
      await this.#stream(stream, first);
      await stream.end(this.options.endTimeoutMs ?? END_TIMEOUT_MS);
      this.progress.closed();
      return undefined;
    } catch (error) {
      stream?.destroy();
      if (!(error instanceof GatewayError) || this.#sourceFailure !== undefined) throw error;
      this.progress.failed(error.message, 0);
      return error;
    } finally {
      this.#giveUp.signal.removeEventListener('abort', destroy);
    }
  }

  /** Sends what is held and what the source gives, until all of it is acknowledged. */
  async #stream(stream: EventStream, first: number): Promise<void> {
    let next = first;
    let again = 0;
    let recognised = false;
    let answer: Ack | undefined;
    stream.onAck = (ack) => {
      answer ??= ack;
      this.#acknowledged(first, ack);
    };
    void stream.closed.then(this.#wake.wake);
    try {
      // Before the answer it is not known which gateway would take the messages.
      while (answer === undefined && stream.failure === undefined) await this.#wake.wait();
      if (answer !== undefined) recognised = this.#reach(answer);
      for (;;) {
        if (stream.failure !== undefined) throw stream.failure;
        const piece = this.#held.from(next);
        if (piece !== undefined) {
          again += this.#forward(next, piece.messages);
          next += piece.messages;
          await stream.send(piece.data, piece.messages);
        } else if (!(await this.#take())) {
          if (this.#held.size === 0 && this.#noMore()) return;
          await this.#wake.wait();
        }
      }
    } finally {
      if (!recognised) this.progress.notRecognised(again);
    }
  }

  /**
   * Notes which gateway answered; gives whether it recognizes the messages that are sent again.
   * @throws GatewayError `AGENT_OTHER_GATEWAY` when it is not the one that took the unacknowledged messages
   */
  #reach({ gateway, sequence }: Ack): boolean {
    const inDoubt = this.#unsent > this.#held.first;
    const other = inDoubt && gateway !== this.#gateway;
    if (other) {
      this.#missingSince ??= Date.now();
      const patienceMs = this.acks.otherGatewayAfterMs ?? OTHER_GATEWAY_AFTER_MS;
      if (Date.now() - this.#missingSince < patienceMs) throw otherGateway(gateway, this.#gateway);
    }
    this.#missingSince = undefined;
    this.#gateway = gateway;
    return !other && sequence !== undefined;
  }

  /** Counts messages about to be sent; gives how many of them were sent before. */
  #forward(next: number, messages: number): number {
    const again = Math.max(0, Math.min(messages, this.#unsent - next));
    this.#unsent = Math.max(this.#unsent, next + messages);
    this.progress.handedOverAgain(again);
    return again;
  }

  #acknowledged(first: number, { messages }: Ack): void {
    const before = this.#held.first;
    this.#held.forgetBefore(first + messages);
    this.progress.confirmed(this.#held.first - before);
    this.#wake.wake();
  }

  /** Moves what the source gave to what is held, if there is room; whether it did. */
  async #take(): Promise<boolean> {
    if (!this.#held.hasRoom) return false;
    const chunk = this.#taken;
    if (chunk === undefined) {
      this.#ask();
      return false;
    }
    this.#taken = undefined;
    this.progress.handedOver(chunk);
    await this.#held.add(chunk);
    return true;
  }

  /** Asks the source for more, unless that was done; its answer wakes the loop, on whatever connection that is. */
  #ask(): void {
    if (this.#sourceFailure !== undefined) throw this.#sourceFailure.error;
    if (this.#asked || this.#taken !== undefined || this.#noMore()) return;
    this.#asked = true;
    const answered = (): void => {
      this.#asked = false;
      this.#wake.wake();
    };
    this.options.source(this.#stop).then(
      (chunk) => {
        this.#taken = chunk;
        this.#sourceEnded = chunk === undefined;
        answered();
      },
      (error: unknown) => {
        this.#sourceFailure = { error };
        answered();
      },
    );
  }

  /** Whether the source gives nothing more. */
  #noMore(): boolean {
    if (this.#taken !== undefined) return false;
    return this.#sourceEnded || (this.#stop.aborted && !this.#asked);
  }
}

function otherGateway(answered = '(unnamed)', wanted = '(unnamed)'): GatewayError {
  return new GatewayError(
    'AGENT_OTHER_GATEWAY',
    `The gateway ${answered} answered; the unacknowledged messages were sent to ${wanted}.`,
    'Reconnect to the gateway that took them: only that one can tell which of them it has stored.',
  );
}
