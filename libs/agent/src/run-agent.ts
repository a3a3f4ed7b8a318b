import { GatewayError } from '@app/pipeline/api';
import { Backoff, sleep, type BackoffOptions } from '@app/pipeline/helpers';
import type { AgentClient } from './agent-client.js';
import { AgentProgress } from './agent-progress.js';
import type { EventStream } from './event-stream.js';
import type { MessageChunk, MessageSource } from './message-source.js';

/** What an agent runs with. */
export interface RunAgentOptions {
  readonly client: AgentClient;
  /** Asked for the next messages only when the ones before are handed over. */
  readonly source: MessageSource;
  /** Kept up to date while the agent runs. */
  readonly progress?: AgentProgress;
  /** Waits between connections; from 0.5 s to 30 s by default. */
  readonly backoff?: BackoffOptions;
  /** Gives up after so many connections in a row that failed or lived less than 5 s; 10 by default. */
  readonly maxFailures?: number;
  /** How long the gateway may take to read what is left when the agent ends, ms; 60,000 by default. */
  readonly endTimeoutMs?: number;
  /** Ends the agent in order: nothing new is taken from the source, what was sent is waited for. */
  readonly stop?: AbortSignal;
  /** Ends the agent at once. */
  readonly abort?: AbortSignal;
}

/** A connection that lived so long, in ms, was a good one: the waits start anew after it. */
const GOOD_AFTER_MS = 5_000;
const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 500, maxMs: 30_000 };
const NEVER = new AbortController().signal;

/**
 * Streams what the source gives, over as many connections as it takes. A message is handed to one connection only:
 * what a connection that breaks has not taken goes to the next one, what it has taken counts as `unconfirmed`.
 * @returns when everything is sent and the last connection closed in order, or after `stop` or `abort`
 * @throws GatewayError `AGENT_SERVER_KEY_MISMATCH` at once, and the last error when it gives up
 */
export async function runAgent(options: RunAgentOptions): Promise<AgentProgress> {
  const progress = options.progress ?? new AgentProgress();
  await new AgentRun(options, progress).run();
  return progress;
}

class AgentRun {
  readonly #backoff: Backoff;
  readonly #stop: AbortSignal;
  readonly #abort: AbortSignal;
  #waiting: MessageChunk | undefined;
  #connections = 0;

  constructor(
    private readonly options: RunAgentOptions,
    private readonly progress: AgentProgress,
  ) {
    this.#backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF);
    this.#abort = options.abort ?? NEVER;
    this.#stop = AbortSignal.any([options.stop ?? NEVER, this.#abort]);
  }

  /** A gateway closes connections that say nothing, so one is opened when there is something to say. */
  async run(): Promise<void> {
    while (await this.#fill()) {
      const startedAt = Date.now();
      const failure = await this.#serve();
      if (failure === undefined || this.#stop.aborted) return;
      if (Date.now() - startedAt >= GOOD_AFTER_MS) this.#backoff.reset();
      const givenUp = this.#backoff.attempts + 1 >= (this.options.maxFailures ?? 10);
      if (givenUp || failure.code === 'AGENT_SERVER_KEY_MISMATCH') throw failure;
      await sleep(this.#backoff.next(), this.#stop);
    }
  }

  /** Whether there is a chunk to send. */
  async #fill(): Promise<boolean> {
    if (this.#stop.aborted) return false;
    this.#waiting ??= await this.options.source(this.#stop);
    return this.#waiting !== undefined;
  }

  /** One connection: sends until the source ends (`undefined`) or the connection fails (why). */
  async #serve(): Promise<GatewayError | undefined> {
    let stream: EventStream | undefined;
    const destroy = (): void => stream?.destroy();
    try {
      stream = await this.options.client.stream(this.#stop);
      this.#abort.addEventListener('abort', destroy, { once: true });
      this.progress.opened(this.#connections === 0);
      this.#connections += 1;
      while (await this.#fill()) await this.#sendWaiting(stream);
      await stream.end(this.options.endTimeoutMs ?? 60_000);
      this.progress.closed();
      return undefined;
    } catch (error) {
      stream?.destroy();
      if (!(error instanceof GatewayError)) throw error;
      this.progress.failed(error.message, stream?.messages ?? 0);
      return error;
    } finally {
      this.#abort.removeEventListener('abort', destroy);
    }
  }

  async #sendWaiting(stream: EventStream): Promise<void> {
    const chunk = this.#waiting;
    if (chunk === undefined || stream.failure !== undefined)
      throw stream.failure ?? new Error('nothing to send');
    let count = 0;
    for (const lines of chunk.counts.values()) count += lines;
    this.#waiting = undefined;
    this.progress.handedOver(chunk);
    await stream.send(chunk.data, count);
  }
}
