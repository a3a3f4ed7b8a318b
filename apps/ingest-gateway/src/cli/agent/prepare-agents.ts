import {
  AgentClient,
  loadEnrollmentState,
  loadOrCreateIdentity,
  saveEnrollmentState,
  type EnrollmentToken,
} from '@activity-gateway/agent';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type { EnrollmentOutcome } from '@activity-gateway/activity';
import { Backoff, sleep } from '@activity-gateway/pipeline/helpers';
import { join } from 'node:path';

/** Which agents to make ready. */
export interface PrepareOptions {
  readonly host: string;
  readonly port: number;
  readonly token?: EnrollmentToken | undefined;
  readonly agents: number;
  /** Each agent has a directory of its own in it. */
  readonly data: string;
}

/** An agent that is enrolled. */
export interface PreparedAgent {
  readonly name: string;
  readonly spkiHash: string;
  readonly client: AgentClient;
}

const ATTEMPTS = 5;

/**
 * Makes or loads the agents' identities and, with a token, enrolls them, one after the other: the first that is
 * rejected ends it, because a rejection bans the address for all of them.
 * @throws GatewayError what prevented it, with the agent's name
 */
export async function prepareAgents(options: PrepareOptions, signal: AbortSignal): Promise<PreparedAgent[]> {
  const agents: PreparedAgent[] = [];
  for (let index = 1; index <= options.agents && !signal.aborted; index += 1) {
    agents.push(await prepareAgent(options, index, signal));
  }
  return agents;
}

async function prepareAgent(
  options: PrepareOptions,
  index: number,
  signal: AbortSignal,
): Promise<PreparedAgent> {
  const { host, port, token } = options;
  const dir = join(options.data, `agent-${index}`);
  const name = `SIM-AGENT-${String(index).padStart(2, '0')}`;
  const identity = await loadOrCreateIdentity(dir, name);
  const serverSpki = token?.serverSpki ?? (await loadEnrollmentState(dir))?.serverSpki;
  if (serverSpki === undefined) throw notEnrolled(name, dir);
  const client = new AgentClient({ host, port, identity, serverSpki });
  if (token !== undefined) {
    await enroll(client, token.code, name, signal);
    await saveEnrollmentState(dir, { serverSpki, enrolledAt: new Date().toISOString() });
  }
  return { name, spkiHash: identity.spkiHash, client };
}

/** Tries again where the gateway may only not be ready; a rejection is final. */
async function enroll(client: AgentClient, code: string, name: string, signal: AbortSignal): Promise<void> {
  const backoff = new Backoff({ initialMs: 500, maxMs: 30_000 });
  for (;;) {
    const result = await attempt(client, code, name, signal);
    if (!(result instanceof GatewayError)) {
      if (result.status === 'Enrolled') return;
      if (result.status === 'Rejected') throw rejected(name, result.error, result.message);
    } else if (result.code !== 'AGENT_CONNECT_FAILED' && result.code !== 'AGENT_ENROLL_NO_ANSWER')
      throw result;
    if (backoff.attempts + 1 >= ATTEMPTS || signal.aborted) {
      throw result instanceof GatewayError ? result : unavailable(name);
    }
    await sleep(backoff.next(), signal);
  }
}

async function attempt(
  client: AgentClient,
  code: string,
  agentHost: string,
  signal: AbortSignal,
): Promise<EnrollmentOutcome | GatewayError> {
  try {
    return await client.enroll({ code, agentHost, agentVersion: 'simulator' }, signal);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

function notEnrolled(name: string, dir: string): GatewayError {
  return new GatewayError(
    'AGENT_NOT_ENROLLED',
    `${name} is not enrolled: ${dir} knows no gateway.`,
    'Give an enrollment token with --token, or the directory of an earlier run with --data.',
  );
}

function rejected(name: string, error: string, message: string): GatewayError {
  return new GatewayError(
    'AGENT_ENROLL_REJECTED',
    `The gateway rejected the enrollment of ${name}: ${error}${message === '' ? '' : ` (${message})`}.`,
    'Make a new token and try again after the ban time.',
  );
}

function unavailable(name: string): GatewayError {
  return new GatewayError(
    'AGENT_ENROLL_UNAVAILABLE',
    `The gateway closed the connection instead of enrolling ${name}.`,
    'Its log says why; try again later.',
  );
}
