import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pollUntil } from '../../../../../test/support/poll.js';
import {
  startControlPlane,
  TEST_ADMIN_KEY,
  type TestControlPlane,
} from '../../../../../test/support/control-plane.js';

const STATUS = '/api/v1/nam-listener/status';

describe('requests', () => {
  let control: TestControlPlane;
  const sockets: Socket[] = [];
  afterEach(async () => {
    sockets.splice(0).forEach((socket) => socket.destroy());
    await control.dispose();
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

  /** What the gateway answers to a request made by hand, with the admin key where it comes from this machine's own address. */
  const answerTo = async (
    from: string,
    target: string,
    { host, version = '1.1', forwarded }: { host?: string; version?: string; forwarded?: string },
  ): Promise<string> => {
    const lines = [
      `GET ${target} HTTP/${version}`,
      ...(host === undefined && version === '1.0' ? [] : [`Host: ${host ?? 'localhost'}`]),
      ...(from === '127.0.0.1' ? [`Authorization: Bearer ${TEST_ADMIN_KEY}`] : []),
      ...(forwarded === undefined ? [] : [`X-Forwarded-Host: ${forwarded}`]),
      'Connection: close',
    ];
    const socket = await dial(from, `${lines.join('\r\n')}\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    await once(socket, 'end');
    return text;
  };

  const wrong = { authorization: 'Bearer wrong' };

  it('are limited by key, and told when to come again', async () => {
    control = await startControlPlane({}, {}, { key: 3 });
    for (let i = 0; i < 3; i += 1) expect((await control.rest('GET', STATUS)).status).toBe(200);
    const refused = await control.rest('GET', STATUS);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('x-content-type-options')).toBe('nosniff');
    expect(refused.body).toMatchObject({ code: 'TOO_MANY_REQUESTS', status: 429 });
  });

  it('with a wrong key are limited by address, and cost neither the right key nor health and metrics', async () => {
    control = await startControlPlane({}, {}, { failed: 2, open: 2 });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i += 1)
      statuses.push((await control.rest('GET', STATUS, undefined, wrong)).status);
    for (let i = 0; i < 4; i += 1) statuses.push((await control.rest('GET', '/api/openapi.json')).status);
    expect(statuses).toEqual([401, 401, 429, 429, 200, 200, 429, 429]);
    for (const path of [STATUS, '/health/live', '/health/ready', '/metrics']) {
      expect([path, (await control.rest('GET', path)).status]).toEqual([path, 200]);
    }
    expect(await answerTo('127.0.0.9', STATUS, {})).toMatch(/ 401 /);
  });

  it.each([
    ['a proxy that is trusted', ['127.0.0.0/8'], '203.0.113.7', 'for 203.0.113.7'],
    [
      'a chain of them, with ports',
      ['127.0.0.0/8', '10.0.0.0/8'],
      '1.1.1.1, 203.0.113.7:5, 10.0.0.1:6',
      'for 203.0.113.7',
    ],
    ['a proxy that is trusted and says nonsense', ['127.0.0.0/8'], 'x', 'for 127.0.0.1'],
    ['a proxy that is not trusted', ['10.0.0.0/8'], '203.0.113.7', 'for 127.0.0.1'],
    ['nobody', [], '203.0.113.7', 'for 127.0.0.1'],
  ])('come from whom %s names', async (_, trustedProxies, forwarded, client) => {
    control = await startControlPlane({}, { trustedProxies });
    await control.rest(
      'POST',
      '/api/v1/api-keys',
      { name: 'x', role: 'viewer' },
      { 'x-forwarded-for': forwarded },
    );
    const { body } = await control.rest('GET', '/api/v1/audit');
    expect(`for ${String((body as { from: string }[])[0]?.from)}`).toBe(client);
  });

  it('have limits of their own for each client of a trusted proxy', async () => {
    control = await startControlPlane({}, { trustedProxies: ['127.0.0.1'] }, { failed: 1 });
    const from = async (client: string): Promise<number> =>
      (await control.rest('GET', STATUS, undefined, { ...wrong, 'x-forwarded-for': client })).status;
    expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8:1::1')]).toEqual([
      401, 429, 401,
    ]);
  });

  const allowedHosts = ['Gateway.example:8443', '[fd00::1]', '192.0.2.10'];
  it.each([
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['localhost.', 200],
    ['127.0.0.1:8080', 200],
    ['[::1]:8080', 200],
    ['[0:0::1]', 200],
    ['[fd00::1%25eth0]:80', 200],
    ['gateway.EXAMPLE', 200],
    ['192.0.2.10:80', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['192.0.2.11', 421],
    ['[::2]', 421],
    ['', 421],
    ['localhost\r\nHost: evil.example', 421],
  ])('to the host %j get %d, and health and metrics always', async (host, status) => {
    control = await startControlPlane({}, { allowedHosts });
    expect(await answerTo('127.0.0.1', STATUS, { host })).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      expect(await answerTo('127.0.0.1', path, { host })).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it('to no host, or to another one in the target, are told the option', async () => {
    control = await startControlPlane();
    const foreign = await answerTo('127.0.0.1', `http://evil.example${STATUS}`, { host: 'localhost' });
    expect(foreign).toMatch(/^HTTP\/1.1 421 [^]*MISDIRECTED_REQUEST/);
    expect(foreign).toContain('http.allowed_hosts');
    expect(await answerTo('127.0.0.1', `http://localhost${STATUS}`, { host: 'x', version: '1.0' })).toContain(
      ' 421 ',
    );
    expect(await answerTo('127.0.0.1', `http://localhost${STATUS}`, { version: '1.0' })).toContain(' 200 ');
    expect(await answerTo('127.0.0.1', STATUS, { version: '1.0' })).toContain(' 421 ');
    expect(await answerTo('127.0.0.1', STATUS, { host: 'x', forwarded: 'localhost' })).toContain(' 421 ');
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

  it('that are pipelined without end are not worked on', async () => {
    control = await startControlPlane();
    const socket = await dial('127.0.0.1', 'GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(1_000));
    await pollUntil('destroyed', () => socket.destroyed || socket.readableEnded);
    expect((await control.rest('GET', '/metrics')).body).not.toMatch(
      /route="\/metrics",status="200"} [1-9]\d/,
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
