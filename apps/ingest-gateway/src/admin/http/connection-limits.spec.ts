import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { createMetrics } from '@activity-gateway/pipeline/host';
import { pollUntil } from '../../../../../test/support/poll.js';
import { ConnectionLimits, type ConnectionBounds } from './connection-limits.js';

/** More than the buffers of both sockets hold. */
const BIG = 'x'.repeat(16 * 1024 * 1024);
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

describe('ConnectionLimits', () => {
  let server: Server;
  const sockets: Socket[] = [];
  afterEach(async () => {
    sockets.splice(0).forEach((socket) => socket.destroy());
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** A server that answers `/big` with much, `/slow` never, and anything else at once. */
  const serve = async (bounds: Partial<ConnectionBounds>): Promise<void> => {
    server = createServer((request, response) => {
      if (request.url === '/slow') return;
      response.end(request.url === '/big' ? BIG : 'ok');
    });
    const limits = new ConnectionLimits(createMetrics(new Registry()), {
      total: 100,
      incomplete: 100,
      unanswered: 100,
      stalledAfterMs: 60_000,
      ...bounds,
    });
    limits.watch(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  };

  /** What came over a connection; nothing for one that does not read. */
  const heard = new WeakMap<Socket, string>();
  const dial = async (text: string, localAddress = '127.0.0.1', reads = true): Promise<Socket> => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
    sockets.push(socket);
    if (reads) socket.on('data', (chunk) => heard.set(socket, `${heard.get(socket) ?? ''}${String(chunk)}`));
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };

  const eventually = (what: () => boolean | Promise<boolean>): Promise<boolean> =>
    pollUntil(String(what), what, Boolean, 10_000, 5);

  const answered = (socket: Socket): Promise<boolean> =>
    eventually(() => heard.get(socket)?.includes('200 OK') === true);

  const held = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)));

  const closed = (some: readonly Socket[]): boolean[] => some.map((socket) => socket.closed);

  it.each([
    ['nothing', ''],
    ['half a request line', 'GET / HT'],
    ['half the headers', 'GET / HTTP/1.1\r\nhost: loc'],
    ['half a body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab'],
    ['half a chunk', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n9\r\nab'],
    [
      'an upgrade that does not go on',
      'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n',
    ],
    ['half a request of HTTP/1.0', 'GET / HTTP/1.0\r\nuser-agent: '],
  ])('lets the oldest connection of an address that sent %s give way', async (_, text) => {
    await serve({ incomplete: 2 });
    const other = await dial(text, '127.0.0.2');
    const own = [await dial(text), await dial(text), await dial(text)];
    await eventually(() => closed(own)[0] === true);
    await answered(await dial(GET('/')));
    expect([...closed(own.slice(1)), other.closed]).toEqual([false, false, false]);
  });

  it('lets half a request on a connection that was used before give way', async () => {
    await serve({ incomplete: 1 });
    const used = await dial(GET('/'));
    await answered(used);
    const idle = await dial(GET('/'));
    await answered(idle);
    used.write('GET / HT');
    const late = await dial('GET');
    await eventually(() => used.closed);
    expect([idle.closed, late.closed]).toEqual([false, false]);
  });

  it('reads what came with a connection before it gives way, however many come at once', async () => {
    await serve({ incomplete: 1, total: 4 });
    const whole = dial(GET('/')).then(answered);
    const empty = Array.from({ length: 100 }, () => dial(''));
    await Promise.all([whole, ...empty]);
    await eventually(() => closed(sockets).filter((each) => !each).length <= 4);
  });

  it('bounds all connections: those give way that owe most, of the address that has most of them', async () => {
    await serve({ total: 4 });
    const slow = await dial(GET('/slow'));
    const idle = [await dial(GET('/')), await dial(GET('/'))];
    await Promise.all(idle.map(answered));
    const lone = await dial('GET', '127.0.0.3');
    const late = [await dial('GET', '127.0.0.2'), await dial('GET', '127.0.0.2')];
    await eventually(() => late[0]?.closed === true && lone.closed);
    await answered(await dial(GET('/')));
    await eventually(() => late[1]?.closed === true);
    await answered(await dial(GET('/')));
    await eventually(() => idle[0]?.closed === true);
    expect(slow.closed).toBe(false);
  });

  it('lets connections give way whose peers do not read; only then those that it works for', async () => {
    await serve({ total: 2 });
    const slow = await dial(GET('/slow'));
    const deaf = await dial(GET('/big'), '127.0.0.1', false);
    await eventually(() => deaf.readableLength > 0);
    const next = await dial(GET('/slow'));
    await eventually(async () => (await held()) === 2);
    expect(closed([slow, next])).toEqual([false, false]);
    const last = await dial(GET('/slow'));
    await eventually(() => slow.closed);
    expect(closed([next, last])).toEqual([false, false]);
  });

  it('destroys connections that pipeline more than a few requests, and answers fewer', async () => {
    await serve({ unanswered: 3 });
    const few = await dial(GET('/slow').repeat(2) + GET('/'));
    const many = await dial(GET('/slow').repeat(4));
    await eventually(() => many.closed);
    expect(few.closed).toBe(false);
  });

  it('destroys connections whose peers stop reading or sending, and waits for its own answers', async () => {
    await serve({ stalledAfterMs: 100 });
    const slow = await dial(GET('/slow'));
    const half = await dial('POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab');
    const deaf = await dial(GET('/big'), '127.0.0.1', false);
    await eventually(() => half.closed && deaf.readableLength > 0);
    await eventually(async () => (await held()) === 1);
    expect(slow.closed).toBe(false);
  });
});
