import { createLiveValue, type WritableLiveValue } from '@activity-gateway/pipeline/helpers';
import type { AgentServices, Allowlist, EnrollmentOutcome, EnrollmentRequest } from '../agent-services.js';

/** Services for agents whose values a test can set, and which keep what they were told. */
export interface TestAgentServices extends Pick<AgentServices, 'presence' | 'enroll'> {
  readonly allowlist: WritableLiveValue<Allowlist>;
  /** Answer of `enroll`; may be replaced at any time. */
  readonly enrollmentOutcome: WritableLiveValue<EnrollmentOutcome>;
  /** Requests given to `enroll`, in order. */
  readonly enrollments: readonly EnrollmentRequest[];
  /** Calls of `presence`, in order. */
  readonly presenceCalls: readonly { readonly call: string; readonly spkiHash: string }[];
}

/** Makes services for `createTestContext`: an empty allowlist, and an enrollment that is `Unavailable`. */
export function createTestAgentServices(): TestAgentServices {
  const enrollments: EnrollmentRequest[] = [];
  const presenceCalls: { call: string; spkiHash: string }[] = [];
  const enrollmentOutcome = createLiveValue<EnrollmentOutcome>({ status: 'Unavailable' });
  return {
    allowlist: createLiveValue<Allowlist>(new Map()),
    presence: {
      connected: (spkiHash) => void presenceCalls.push({ call: 'connected', spkiHash }),
      disconnected: (spkiHash) => void presenceCalls.push({ call: 'disconnected', spkiHash }),
      seen: (spkiHash) => void presenceCalls.push({ call: 'seen', spkiHash }),
    },
    presenceCalls,
    enrollmentOutcome,
    enrollments,
    async enroll(request) {
      enrollments.push(request);
      return enrollmentOutcome.current;
    },
  };
}
