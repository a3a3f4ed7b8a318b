import { GatewayError } from '@activity-gateway/pipeline/api';
import { isSpkiHash } from '@activity-gateway/activity';
import { join } from 'node:path';
import { readIfThere, replaceFile } from './files.js';

/** What an enrolled agent remembers, so that a restart needs no token. */
export interface EnrollmentState {
  /** The server key that the agent trusts: SHA-256 of its SubjectPublicKeyInfo. */
  readonly serverSpki: string;
  /** ISO 8601, UTC. */
  readonly enrolledAt: string;
}

const FILE = 'enrollment.json';

/**
 * Reads what `saveEnrollmentState` wrote; `undefined` when the agent of this directory never enrolled.
 * @throws GatewayError `AGENT_STATE_UNREADABLE` when the file is there and says no server key
 */
export async function loadEnrollmentState(dir: string): Promise<EnrollmentState | undefined> {
  const text = await readIfThere(join(dir, FILE));
  if (text === undefined) return undefined;
  const state = parseState(text);
  if (state !== undefined) return state;
  throw new GatewayError(
    'AGENT_STATE_UNREADABLE',
    `${join(dir, FILE)} is damaged.`,
    'Remove the file and enroll again with a new token; the key pair can stay.',
  );
}

/** Remembers the server key and that the agent is enrolled. */
export async function saveEnrollmentState(dir: string, state: EnrollmentState): Promise<void> {
  await replaceFile(join(dir, FILE), `${JSON.stringify(state)}\n`, 0o600);
}

function parseState(text: string): EnrollmentState | undefined {
  try {
    const { serverSpki, enrolledAt } = JSON.parse(text) as Partial<Record<string, unknown>>;
    if (typeof serverSpki !== 'string' || !isSpkiHash(serverSpki)) return undefined;
    return { serverSpki, enrolledAt: typeof enrolledAt === 'string' ? enrolledAt : '' };
  } catch {
    return undefined;
  }
}
