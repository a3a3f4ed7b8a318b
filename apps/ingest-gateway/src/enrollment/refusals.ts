import type { EnrollmentOutcome } from '@activity-gateway/activity';

/** Why an enrollment is refused: for the log and the audit trail. Agents are told less (`docs/reference/protocol.md`, Enrollment). */
export type RefusalCause = 'malformed' | 'unknown' | 'revoked' | 'expired' | 'used-up' | 'removed' | 'denied';

type Rejection = Extract<EnrollmentOutcome, { status: 'Rejected' }>;

const REFUSALS: Readonly<Record<RefusalCause, Omit<Rejection, 'status'>>> = {
  malformed: {
    error: 'MalformedRequest',
    message: 'AgentHost must be 1 to 253 of the letters A to Z and a to z, digits, ".", "-" and "_".',
  },
  unknown: {
    error: 'InvalidCode',
    message: 'The enrollment code is not known; check that the token was copied whole.',
  },
  revoked: {
    error: 'InvalidCode',
    message: 'The enrollment token was revoked, or a newer one has taken its place; use that.',
  },
  expired: { error: 'ExpiredCode', message: 'The enrollment token has expired; ask for a new one.' },
  removed: {
    error: 'InvalidCode',
    message: 'The agent was removed after this token was made; ask for a new one.',
  },
  denied: {
    error: 'InvalidCode',
    message: 'The key of this agent is denied; ask an administrator to allow it.',
  },
  'used-up': {
    error: 'InvalidCode',
    message: 'The enrollment token has enrolled as many agents as it may; ask for a new one.',
  },
};

/** What the agent is told. */
export function rejection(cause: RefusalCause): Rejection {
  return { status: 'Rejected', ...REFUSALS[cause] };
}
