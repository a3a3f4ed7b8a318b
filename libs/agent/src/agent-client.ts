import { GatewayError } from '@activity-gateway/pipeline/api';
import type { EnrollmentOutcome } from '@activity-gateway/activity';
import type { Hello } from './acks.js';
import { connectPinned, type ConnectOptions } from './connect.js';
import { EventStream } from './event-stream.js';
import type { AgentIdentity } from './identity.js';
import { readFirstLine } from './read-first-line.js';

/** Where an agent connects, as whom, and whom it expects there. */
export interface AgentClientOptions {
  readonly host: string;
  readonly port: number;
  readonly identity: AgentIdentity;
  /** SHA-256 of the server's SubjectPublicKeyInfo, from the token or from an earlier enrollment. */
  readonly serverSpki: string;
  /** For the connection and for the answer to an enrollment, each, ms; 10,000 by default. */
  readonly timeoutMs?: number;
}

/** What an agent asks for when it enrolls. */
export interface EnrollOptions {
  /** From the token. */
  readonly code: string;
  readonly agentHost: string;
  readonly agentVersion?: string;
}

/**
 * An agent's side of the protocol (`docs/reference/protocol.md`). Every call opens its own connection, and nothing is sent
 * before the server's key was found to be the pinned one. Makes no second attempts: `runAgent` does.
 */
export class AgentClient {
  readonly #connect: ConnectOptions;

  constructor(options: AgentClientOptions) {
    this.#connect = { ...options, timeoutMs: options.timeoutMs ?? 10_000 };
  }

  /**
   * Asks to be put on the allowlist and reads the answer. `Unavailable`: the gateway closed without one, which it
   * does when its store cannot say.
   * @throws GatewayError as `connectPinned`; `AGENT_ENROLL_NO_ANSWER` when none came in time or the connection broke;
   *   `AGENT_ENROLL_BAD_ANSWER` when it is not what the protocol says
   */
  async enroll(request: EnrollOptions, signal?: AbortSignal): Promise<EnrollmentOutcome> {
    const socket = await connectPinned(this.#connect, signal);
    const line = await readFirstLine(socket, enrollmentMessage(request), this.#connect.timeoutMs, signal);
    return line === undefined ? { status: 'Unavailable' } : parseAnswer(line);
  }

  /**
   * Opens a connection to stream events over.
   * @param hello asks for acknowledgements; `EventStream.onAck` is told
   * @throws GatewayError as `connectPinned`
   */
  async stream(signal?: AbortSignal, hello?: Hello): Promise<EventStream> {
    return new EventStream(await connectPinned(this.#connect, signal), hello);
  }
}

function enrollmentMessage({ code, agentHost, agentVersion }: EnrollOptions): string {
  const message = {
    MessageType: 'EnrollmentRequest',
    EnrollmentCode: code,
    AgentHost: agentHost,
    AgentVersion: agentVersion,
  };
  return `${JSON.stringify(message)}\n`;
}

const REJECTIONS = ['InvalidCode', 'ExpiredCode', 'MalformedRequest'] as const;

function parseAnswer(line: string): EnrollmentOutcome {
  const { MessageType, Status, Error: reason, Message } = parseObject(line);
  if (MessageType === 'EnrollmentResponse' && Status === 'Enrolled') return { status: 'Enrolled' };
  const error = REJECTIONS.find((known) => known === reason);
  if (MessageType === 'EnrollmentResponse' && Status === 'Rejected' && error !== undefined) {
    return { status: 'Rejected', error, message: typeof Message === 'string' ? Message : '' };
  }
  throw new GatewayError(
    'AGENT_ENROLL_BAD_ANSWER',
    'The gateway answered the enrollment with something that the protocol does not know.',
    'Check that agent and gateway have the same version.',
  );
}

function parseObject(line: string): Partial<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
