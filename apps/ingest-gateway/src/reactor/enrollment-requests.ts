import type { EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import { PendingRequests } from './pending-requests.js';
import type { Port } from './port.js';

/** How long the control plane has to decide, ms. */
export const ENROLLMENT_TIMEOUT_MS = 10_000;

/** Enrollments that wait for the control plane's decision. */
export class EnrollmentRequests {
  readonly #pending: PendingRequests<EnrollmentRequest, EnrollmentOutcome>;

  /** @param timeoutMs after which an enrollment counts as `Unavailable` */
  constructor(
    port: Port,
    private readonly timeoutMs: number = ENROLLMENT_TIMEOUT_MS,
  ) {
    this.#pending = new PendingRequests((requestId, request) =>
      port.send({ type: 'enroll', requestId, request }),
    );
  }

  /** Asks the control plane. Never rejects. */
  async ask(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    return (await this.#pending.ask(request, this.timeoutMs)) ?? { status: 'Unavailable' };
  }

  /** The control plane's decision; one that comes too late does nothing. */
  decided(requestId: number, outcome: EnrollmentOutcome): void {
    this.#pending.answered(requestId, outcome);
  }
}
