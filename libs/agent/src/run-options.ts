import type { AgentClient } from './agent-client.js';
import type { AgentProgress } from './agent-progress.js';
import type { MessageSource } from './message-source.js';
import type { ReconnectOptions } from './reconnects.js';
import type { UnacknowledgedMessages } from './unacknowledged.js';

/** What acknowledgements need. */
export interface AcknowledgedOptions {
  /** Name of the agent, for the gateway's log. */
  readonly agentHost: string;
  /** Keeps what is unacknowledged; in memory, within the default limits, by default. */
  readonly held?: UnacknowledgedMessages;
  /**
   * How long the agent insists on the gateway that took its unacknowledged messages when another one answers, ms;
   * 30,000 by default. After that it resends them to the other gateway, which may store them a second time.
   */
  readonly otherGatewayAfterMs?: number;
}

/** What an agent runs with. */
export interface RunAgentOptions extends ReconnectOptions {
  readonly client: AgentClient;
  /** Asked for the next messages only when the ones before are handed over, and there is room to keep them. */
  readonly source: MessageSource;
  /** Kept up to date while the agent runs. */
  readonly progress?: AgentProgress;
  /** Asks for acknowledgements; without, a message is handed to one connection only. */
  readonly acks?: AcknowledgedOptions;
  /**
   * How long the gateway may take to read what is left when the agent ends, and after a stop to acknowledge it, ms;
   * 60,000 by default. An agent whose source has ended waits for its Acks as long as it takes.
   */
  readonly endTimeoutMs?: number;
  /** Ends the agent in order: nothing new is taken from the source, what was sent is waited for. */
  readonly stop?: AbortSignal;
  /** Ends the agent at once. */
  readonly abort?: AbortSignal;
}
