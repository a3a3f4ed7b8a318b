import { afterEach } from '@jest/globals';
import { startGateway, type TestGateway } from './gateway.js';

/** `startGateway` for the tests of a suite: what they start is ended and its data removed after each of them. */
export function gatewaysOfSuite(): typeof startGateway {
  const running: TestGateway[] = [];
  afterEach(async () => {
    for (const gateway of running.splice(0)) await gateway.dispose();
  }, 60_000);
  return async (options) => {
    const gateway = await startGateway(options);
    running.push(gateway);
    return gateway;
  };
}
