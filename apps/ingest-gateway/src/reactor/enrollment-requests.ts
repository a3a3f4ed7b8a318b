import type { EnrollmentOutcome, EnrollmentRequest } from '@app/pipeline/api';
import type { Port } from './port.js';

/** How long the control plane has to decide, ms. */
export const ENROLLMENT_TIMEOUT_MS = 10_000;

/** Enrollments that wait for the control plane's decision. */
export class EnrollmentRequests {
  readonly #waiting = new Map<number, (outcome: EnrollmentOutcome) => void>();
  #lastId = 0;

  /** @param timeoutMs after which an enrollment counts as `Unavailable` */
  constructor(
    private readonly port: Port,
    private readonly timeoutMs: number = ENROLLMENT_TIMEOUT_MS,
  ) {}

  /** Asks the control plane. Never rejects. */
  ask(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    const requestId = (this.#lastId += 1);
    return new Promise((resolve) => {
      const decided = (outcome: EnrollmentOutcome): void => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(outcome);
      };
      const timer = setTimeout(() => decided({ status: 'Unavailable' }), this.timeoutMs);
      this.#waiting.set(requestId, decided);
      this.port.send({ type: 'enroll', requestId, request });
    });
  }

  /** The control plane's decision; one that comes too late does nothing. */
  decided(requestId: number, outcome: EnrollmentOutcome): void {
    this.#waiting.get(requestId)?.(outcome);
  }
}
