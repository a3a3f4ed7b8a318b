import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { startControlPlane, type TestControlPlane } from '../../../test/support/control-plane.js';

let control: TestControlPlane | undefined;
afterEach(async () => {
  await control?.dispose();
  control = undefined;
});

it('does not wait for clients that keep a connection open when it closes', async () => {
  control = await startControlPlane();
  const { connect } = await import('node:net');
  const idle = connect(Number(new URL(control.httpUrl).port), '127.0.0.1');
  idle.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(idle, 'data');
  const closed = once(idle, 'close');
  const began = Date.now();
  await control.close();
  await closed;
  expect(Date.now() - began).toBeLessThan(4_000);
});

it('tells settings of the file that are out of their range', async () => {
  await expect(startControlPlane({ activitymonitor_batch_size: 1 })).rejects.toMatchObject({
    code: 'SETTING_INVALID',
  });
});

it('tells a REST port that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  try {
    await expect(startControlPlane({}, { host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'HTTP_PORT_UNAVAILABLE',
      message: expect.stringContaining(String(port)),
    });
  } finally {
    server.close();
  }
});
