import { GatewayError } from '@activity-gateway/pipeline/api';
import { AgentProgress } from './agent-progress.js';
import type { EventStream } from './event-stream.js';
import { messagesOf, type MessageChunk } from './message-source.js';
import { Reconnects } from './reconnects.js';
import { AcknowledgedRun } from './run-acknowledged.js';
import type { RunAgentOptions } from './run-options.js';

const NEVER = new AbortController().signal;

/**
 * Streams what the source gives, over as many connections as it takes. With acknowledgements, what a connection that
 * breaks had not acknowledged is sent again, in order, over the next one. Without them a message is handed to one
 * connection only: what a connection that breaks has not taken goes to the next one, what it has taken counts as
 * `unconfirmed`.
 * @returns when everything is acknowledged, or, without Acks, sent and the last connection closed in order; or after
 *   `stop` or `abort`
 * @throws GatewayError `AGENT_SERVER_KEY_MISMATCH` at once, and the last error when it gives up
 */
export async function runAgent(options: RunAgentOptions): Promise<AgentProgress> {
  const progress = options.progress ?? new AgentProgress();
  const { acks } = options;
  const run =
    acks === undefined ? new AgentRun(options, progress) : new AcknowledgedRun(options, acks, progress);
  await run.run();
  return progress;
}

class AgentRun {
  readonly #reconnects: Reconnects;
  readonly #stop: AbortSignal;
  readonly #abort: AbortSignal;
  #waiting: MessageChunk | undefined;
  #connections = 0;

  constructor(
    private readonly options: RunAgentOptions,
    private readonly progress: AgentProgress,
  ) {
    this.#reconnects = new Reconnects(options);
    this.#abort = options.abort ?? NEVER;
    this.#stop = AbortSignal.any([options.stop ?? NEVER, this.#abort]);
  }

  /** A gateway closes connections that say nothing, so one is opened when there is something to say. */
  async run(): Promise<void> {
    while (await this.#fill()) {
      const startedAt = Date.now();
      const failure = await this.#serve();
      if (failure === undefined || this.#stop.aborted) return;
      await this.#reconnects.after(failure, Date.now() - startedAt, false, this.#stop);
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
    this.#waiting = undefined;
    this.progress.handedOver(chunk);
    await stream.send(chunk.data, messagesOf(chunk));
  }
}
