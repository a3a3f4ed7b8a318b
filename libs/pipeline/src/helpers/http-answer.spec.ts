import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { excerpt, readBody } from './http-answer.js';

const LIMITS = { maxBytes: 1_000, timeoutMs: 10_000, signal: new AbortController().signal };

describe('readBody', () => {
  let server: Server;
  let answer: (response: ServerResponse) => void;
  beforeEach(async () => {
    server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function ask(): Promise<IncomingMessage> {
    const { port } = server.address() as { port: number };
    const request = get({ host: '127.0.0.1', port, agent: false });
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  it('gives a whole body', async () => {
    answer = (response) => response.end('x'.repeat(1_000));
    const { bytes, whole } = await readBody(await ask(), LIMITS);
    expect([bytes.length, whole]).toEqual([1_000, true]);
  });

  it('cuts off a body that never ends, and closes the connection', async () => {
    let closed: Promise<unknown> | undefined;
    answer = (response) => {
      closed = once(response, 'close');
      const more = (): void => {
        if (!response.destroyed) response.write('y'.repeat(400), () => setImmediate(more));
      };
      more();
    };
    const { bytes, whole } = await readBody(await ask(), LIMITS);
    expect([bytes.toString(), whole]).toEqual(['y'.repeat(1_000), false]);
    await closed;
  });

  it('gives up a body that comes drop by drop', async () => {
    answer = (response) => {
      const timer = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(timer));
    };
    await expect(readBody(await ask(), { ...LIMITS, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
  });

  it('gives up when told to, also beforehand', async () => {
    answer = (response) => void response.write('.');
    const abort = new AbortController();
    const reading = readBody(await ask(), { ...LIMITS, signal: abort.signal });
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
    const early = readBody(await ask(), { ...LIMITS, signal: abort.signal });
    await expect(early).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it.each([
    ['shorter than announced', { 'content-length': '50' }],
    ['without its last chunk', {}],
  ])('fails with a body %s', async (_, headers) => {
    answer = (response) => {
      response.writeHead(200, headers);
      response.write('begun', () => response.destroy());
    };
    await expect(readBody(await ask(), LIMITS)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('leaves no error behind that would end the process', async () => {
    const stream = new PassThrough();
    stream.end('all');
    expect((await readBody(stream, LIMITS)).bytes.toString()).toBe('all');
    stream.emit('error', new Error('late'));
  });
});

describe('excerpt', () => {
  it.each([
    ['<html>\r\n\t<b>Scheduled\u0000 maintenance</b>', '<html> <b>Scheduled maintenance</b>'],
    ['a\u2028b\u202Ec\u200Bd\u001B[31m', 'a b c d [31m'],
    ['', ''],
    ['ü'.repeat(200), `${'ü'.repeat(160)}…`],
    ['😀'.repeat(161), `${'😀'.repeat(160)}…`],
  ])('%j', (text, wanted) => {
    expect(excerpt(Buffer.from(text))).toBe(wanted);
  });

  it('marks what was cut, and shows nothing of what is no text', () => {
    expect(excerpt(Buffer.from('€'.repeat(10)), 4)).toBe('€€€€…');
    expect(excerpt(Buffer.from([0x1f, 0x8b, 0xff, 0xfe]))).toBe('');
    expect(excerpt(Buffer.from(`${' '.repeat(20)}late`), 4)).toBe('…');
  });
});
