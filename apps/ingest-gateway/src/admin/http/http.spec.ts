import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pollUntil } from '../../../../../test/support/poll.js';
import { startControlPlane, type TestControlPlane } from '../../../../../test/support/control-plane.js';
import { RequestLimits } from './rate-limit.js';

const STATUS = '/api/v1/nam-listener/status';

describe('requests', () => {
  let control: TestControlPlane;
  const sockets: Socket[] = [];
  afterEach(async () => {
    sockets.splice(0).forEach((socket) => socket.destroy());
    await control.dispose();
  });

  it('are limited by client address, and told when to come again', async () => {
    control = await startControlPlane({}, undefined, { perSecond: 0.5, burst: 3 });
    for (let i = 0; i < 3; i += 1) expect((await control.rest('GET', STATUS)).status).toBe(200);
    const refused = await control.rest('GET', '/health/live');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
    expect(refused.body).toMatchObject({ code: 'TOO_MANY_REQUESTS', status: 429 });
  });

  it('with a wrong key cost more', async () => {
    control = await startControlPlane({}, undefined, { perSecond: 1, burst: 30 });
    const wrong = { authorization: 'Bearer wrong' };
    expect((await control.rest('GET', STATUS, undefined, wrong)).status).toBe(401);
    expect((await control.rest('GET', STATUS, undefined, wrong)).status).toBe(401);
    expect((await control.rest('GET', STATUS)).status).toBe(429);
  });

  it('from other origins get no leave: CORS is off', async () => {
    control = await startControlPlane();
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'PUT' };
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await control.rest(method, STATUS, undefined, headers);
      const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));
      expect([method, answer.status, names]).toEqual([method, method === 'GET' ? 200 : 405, []]);
    }
  });

  const dial = async (localAddress: string, text: string): Promise<Socket> => {
    const { port, hostname } = new URL(control.httpUrl);
    const options = { port: Number(port), host: hostname, localAddress, allowHalfOpen: true };
    const socket = connect(options).on('error', () => undefined);
    sockets.push(socket.resume());
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };

  it.each([
    ['one address', () => '127.0.0.1', 32],
    ['many addresses', (index: number) => `127.0.0.${1 + (index % 50)}`, 256],
  ])('that %s leaves half sent take no place from others, health or metrics', async (_, from, most) => {
    control = await startControlPlane();
    for (let i = 0; i < 400; i += 1) await dial(from(i), 'PUT / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ');
    for (const path of ['/health/live', '/health/ready', '/metrics', STATUS]) {
      expect([path, (await control.rest('GET', path)).status]).toEqual([path, 200]);
    }
    await pollUntil(
      'bounded',
      () => sockets.filter((socket) => !socket.readableEnded && !socket.closed).length <= most,
    );
  });

  it('that are no HTTP are answered, and closed although their peer does not close', async () => {
    control = await startControlPlane();
    const socket = await dial('127.0.0.1', 'no HTTP\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 [^]*"code":"BAD_REQUEST"/);
    await pollUntil('destroyed', () => socket.destroyed || !socket.write('x'));
  });
});

describe('RequestLimits', () => {
  it('keeps addresses apart, IPv4-mapped ones being their IPv4 address', () => {
    const limits = new RequestLimits({ perSecond: 1, burst: 1 }, () => 0);
    const answers: number[] = [];
    const reply = { header: () => reply, code: (code: number) => (answers.push(code), reply) } as never;
    Object.assign(reply, { type: () => reply, send: () => reply });
    const from = (ip: string): boolean => limits.admit({ ip, url: '/' } as never, reply);
    expect([from('10.0.0.1'), from('10.0.0.2'), from('::ffff:10.0.0.1')]).toEqual([true, true, false]);
    expect(answers).toEqual([429]);
  });
});
