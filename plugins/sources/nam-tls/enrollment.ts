import type { AgentServices, EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import { banReasonOf, enrollmentResponse, readEnrollment } from './enrollment-message.js';

/** What an enrollment leads to on its connection. */
export interface EnrollmentResult {
  readonly reason: 'enrolled' | 'enrollment_rejected' | 'enrollment_unavailable';
  /** Bounded, for logs and metrics: `enrolled`, a ban reason, or `unavailable`. */
  readonly outcome: string;
  /** Reason of the ban that follows, if one does. */
  readonly ban?: string;
  /** Line for the agent; none means to close without one. */
  readonly answer?: string;
}

/** Who asks for an enrollment. */
export interface EnrollingPeer extends Pick<EnrollmentRequest, 'spkiHash' | 'sourceIp'> {
  /** Why its key may not enroll, as part of a sentence; `undefined` where it may. */
  readonly weakness: string | undefined;
}

/** Checks a request's form and the peer's key, asks the gateway, and says what follows. Does not reject. */
export async function enroll(
  value: Readonly<Record<string, unknown>>,
  { weakness, ...peer }: EnrollingPeer,
  services: Pick<AgentServices, 'enroll'>,
): Promise<EnrollmentResult> {
  const reading = readEnrollment(value);
  const problem =
    weakness === undefined ? reading.problem : `The certificate cannot be enrolled: ${weakness}.`;
  const outcome: EnrollmentOutcome =
    reading.fields === undefined || problem !== undefined
      ? { status: 'Rejected', error: 'MalformedRequest', message: problem ?? '' }
      : await ask({ ...reading.fields, ...peer }, services);
  if (outcome.status === 'Unavailable') return { reason: 'enrollment_unavailable', outcome: 'unavailable' };
  const answer = enrollmentResponse(outcome, peer.spkiHash);
  if (outcome.status === 'Enrolled') return { reason: 'enrolled', outcome: 'enrolled', answer };
  const ban = banReasonOf(outcome.error);
  return { reason: 'enrollment_rejected', outcome: ban, ban, answer };
}

async function ask(
  request: EnrollmentRequest,
  services: Pick<AgentServices, 'enroll'>,
): Promise<EnrollmentOutcome> {
  try {
    return await services.enroll(request);
  } catch {
    return { status: 'Unavailable' };
  }
}
