import { describe, expect, it } from '@jest/globals';
import { createTestContext } from '@activity-gateway/pipeline/testing';
import { agentContext } from './agent-services.js';
import { createTestAgentServices } from './testing/index.js';

describe('the services for agents', () => {
  it('are what a test sets and asks', async () => {
    const services = createTestAgentServices();
    const request = { code: 'c', spkiHash: 'ab'.repeat(32), sourceIp: '10.0.0.1', hostname: 'h' };
    await expect(services.enroll(request)).resolves.toEqual({ status: 'Unavailable' });
    services.enrollmentOutcome.set({ status: 'Enrolled' });
    await expect(services.enroll(request)).resolves.toEqual({ status: 'Enrolled' });
    expect(services.enrollments).toEqual([request, request]);
    services.presence.seen('ab');
    expect(services.presenceCalls).toEqual([{ call: 'seen', spkiHash: 'ab' }]);
  });

  it('are found in the context of a program that has them, and missed by name in another', () => {
    const context = createTestContext({ services: createTestAgentServices() });
    expect(agentContext(context).services.allowlist.current.size).toBe(0);
    expect(() => agentContext(createTestContext({ id: 'p/s' }))).toThrow(
      expect.objectContaining({ code: 'AGENT_SERVICES_MISSING', message: expect.stringContaining('p/s') }),
    );
  });
});
