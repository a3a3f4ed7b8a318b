import { describe, expect, it } from '@jest/globals';
import { GatewayError } from '../api/index.js';
import { createLogger, type LoggerOptions, type RootLogger } from './logger.js';

interface Sink {
  readonly logger: RootLogger;
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
  clock: number;
}

function open(options: Partial<LoggerOptions> = {}, isTTY = false): Sink {
  const written: string[] = [];
  const sink = { clock: 0 } as Sink;
  const destination = { isTTY, write: (line: string) => void written.push(line) };
  const logger = createLogger(
    { level: 'info', format: 'json', component: 'test', now: () => sink.clock, ...options },
    destination,
  );
  return Object.assign(sink, {
    logger,
    text: () => written.join(''),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  });
}

describe('createLogger', () => {
  it('writes one JSON line with time, level, component and message', () => {
    const { logger, lines, text } = open();
    logger.warn({ port: 1514 }, 'The port is taken.');
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        component: 'test',
        port: 1514,
        msg: 'The port is taken.',
      },
    ]);
    expect(text().endsWith('\n')).toBe(true);
  });

  it('leaves out lines below its level', () => {
    const { logger, lines } = open({ level: 'warn' });
    logger.debug({}, 'a');
    logger.info({}, 'b');
    logger.error({}, 'c');
    expect(lines().map((line) => line.msg)).toEqual(['c']);
  });

  it('gives children their fields and their component once', () => {
    const { logger, text, lines } = open();
    logger.child({ component: 'listener', reactor: 1 }).child({ connection: 'c1' }).info({}, 'up');
    expect(lines()[0]).toMatchObject({ component: 'listener', reactor: 1, connection: 'c1' });
    expect(text().match(/"component"/g)).toHaveLength(1);
  });

  it('is pretty on a terminal in the format auto, and JSON elsewhere', () => {
    const terminal = open({ format: 'auto' }, true);
    terminal.logger.info({ port: 1 }, 'listening');
    expect(terminal.text()).toMatch(/test: listening.*"port":1/);
    expect(() => terminal.lines()).toThrow();
    const pipe = open({ format: 'auto' });
    pipe.logger.info({}, 'listening');
    expect(pipe.lines()).toHaveLength(1);
  });

  it('is pretty without colours when asked for into a file', () => {
    const { logger, text } = open({ format: 'pretty' });
    logger.error({ err: new Error('no route') }, 'failed');
    expect(text()).toMatch(/ERROR: test: failed/);
    expect(text()).toMatch(/"message":"no route"}}\n$/);
    expect(text().trimEnd()).not.toContain('\n');
    expect(text()).not.toContain('\u001b');
  });
});

describe('redaction', () => {
  it.each([
    'password',
    'apiKey',
    'api_key',
    'key',
    'token',
    'code',
    'authorization',
    'Authorization',
    'enrollmentCode',
  ])('hides %s at any depth', (name) => {
    const { logger, text } = open();
    logger.info({ [name]: 'S3cret-value', deep: { list: [{ [name]: 'S3cret-value' }] } }, 'x');
    logger.child({ [name]: 'S3cret-value' }).info({}, 'y');
    expect(text()).not.toContain('S3cret-value');
    expect(text().match(/\[redacted\]/g)).toHaveLength(3);
  });

  it.each([['ECONNREFUSED'], ['60 UNKNOWN_TABLE'], ['missing_key'], [117]])('keeps the code %s', (code) => {
    const { logger, lines } = open();
    logger.info({ code }, 'x');
    expect(lines()[0]).toMatchObject({ code });
  });

  it('hides credentials in URLs', () => {
    const { logger, text } = open();
    logger.info({ url: 'http://user:pa55@host:8123/', err: new Error('http://u:pa55@host failed') }, 'x');
    expect(text()).not.toContain('pa55');
    expect(text()).toContain('host:8123');
  });

  it('writes values that JSON cannot hold', () => {
    const { logger, lines } = open();
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    logger.info(
      { big: 2n ** 64n, map: new Map([['a', 1]]), set: new Set([1]), bytes: new Uint8Array(3), cyclic },
      'x',
    );
    expect(lines()[0]).toMatchObject({
      big: '18446744073709551616',
      map: { a: 1 },
      set: [1],
      bytes: '[3 bytes]',
    });
  });
});

describe('errors', () => {
  const error = new GatewayError('PORT_TAKEN', 'The port is taken.', 'Choose another.', {
    cause: Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' }),
  });

  it('are message, code, hint and cause, without a stack', () => {
    const { logger, lines } = open();
    logger.error({ err: error }, 'x');
    expect(lines()[0]?.err).toEqual({
      message: 'The port is taken.',
      code: 'PORT_TAKEN',
      hint: 'Choose another.',
      cause: { message: 'listen EADDRINUSE', code: 'EADDRINUSE' },
    });
  });

  it('have a stack at the level debug', () => {
    const { logger, lines } = open({ level: 'debug' });
    logger.error({ err: error }, 'x');
    expect(lines()[0]?.err).toMatchObject({ stack: expect.stringContaining('logger.spec') });
  });

  it('tell what an aggregate holds when it says nothing itself', () => {
    const { logger, lines } = open();
    logger.error(
      { err: new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]) },
      'x',
    );
    expect(lines()[0]?.err).toMatchObject({ message: 'refused ::1; refused 127.0.0.1' });
  });
});

describe('the limit on repeats', () => {
  const repeat = (logger: RootLogger, times: number, message = 'again'): void => {
    for (let i = 0; i < times; i += 1) logger.warn({ i }, message);
  };

  it('writes five and tells the rest with the next line after the window', () => {
    const sink = open();
    repeat(sink.logger, 8);
    expect(sink.lines()).toHaveLength(5);
    sink.clock = 10_000;
    repeat(sink.logger, 1);
    expect(sink.lines()).toHaveLength(6);
    expect(sink.lines()[5]).toMatchObject({ msg: 'again', i: 0, suppressed: 3 });
    repeat(sink.logger, 1);
    expect(sink.lines()[6]).not.toHaveProperty('suppressed');
  });

  it('tells kinds apart by component, level and message, and children share the limit of their component', () => {
    const { logger, lines } = open();
    repeat(logger, 6);
    repeat(logger, 1, 'other');
    logger.error({}, 'again');
    logger.child({ component: 'b' }).warn({}, 'again');
    logger.child({ agent: 'a' }).warn({}, 'again');
    expect(lines()).toHaveLength(8);
  });

  it('does not hold back debug lines', () => {
    const { logger, lines } = open({ level: 'debug' });
    for (let i = 0; i < 20; i += 1) logger.debug({}, 'step');
    expect(lines()).toHaveLength(20);
  });

  it('tells on flush what was held back, once', () => {
    const { logger, lines } = open();
    repeat(logger, 7);
    logger.flush();
    logger.flush();
    expect(lines()).toHaveLength(6);
    expect(lines()[5]).toMatchObject({ level: 'warn', component: 'test', msg: 'again', suppressed: 2 });
  });
});
