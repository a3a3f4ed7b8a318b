import { expect, it } from '@jest/globals';
import { EnrollmentRequests } from './enrollment-requests.js';
import type { FromReactor } from './messages.js';

it('counts an enrollment as unavailable when the control plane does not answer in time', async () => {
  const sent: FromReactor[] = [];
  const port = {
    send: (message: FromReactor) => void sent.push(message),
    onMessage: () => undefined,
    onLost: () => undefined,
    flushed: async () => undefined,
  };
  const requests = new EnrollmentRequests(port, 20);
  const request = { code: 'c', spkiHash: 's', sourceIp: '10.0.0.1', hostname: 'h' };
  expect(await requests.ask(request)).toEqual({ status: 'Unavailable' });
  expect(sent).toEqual([{ type: 'enroll', requestId: 1, request }]);
  requests.decided(1, { status: 'Enrolled' });
});
