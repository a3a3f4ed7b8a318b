import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import {
  startControlPlane,
  TEST_ADMIN_KEY,
  TEST_SERVER_SPKI,
  type RestAnswer,
  type TestControlPlane,
} from '../../../../test/support/control-plane.js';

const KEY_A = 'a'.repeat(64);
const AGENTS = '/api/v1/nam-listener/agents';
const TOKEN = '/api/v1/nam-listener/enrollment-token';
const EVENTS = '/api/v1/activity/events';

let control: TestControlPlane;
const rest: TestControlPlane['rest'] = (...args) => control.rest(...args);

function expectProblem(answer: RestAnswer, status: number, code: string, detail?: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toEqual({
    type: expect.stringMatching(/^urn:gateway:problem:[a-z-]+$/),
    title: expect.any(String),
    status,
    detail: expect.stringContaining(detail ?? ''),
    instance: expect.stringMatching(/^\/[^?]*$/),
    code,
  });
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts|at /);
}

const newToken = async (): Promise<{ token: string; expiresAt: string }> => {
  const { status, body } = await rest('POST', TOKEN);
  expect(status).toBe(201);
  return body as { token: string; expiresAt: string };
};

describe('the REST API for administrators', () => {
  beforeEach(async () => {
    control = await startControlPlane();
  });
  afterEach(() => control.dispose());

  it('makes an enrollment token', async () => {
    const { token, expiresAt } = await newToken();
    expect(token).toMatch(new RegExp(`^nam1\\.[\\w-]{43}\\.${TEST_SERVER_SPKI}$`));
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(3_590_000);
    expect(expiresAt).toMatch(/Z$/);
  });

  it('makes one for a client that announces JSON and sends none', async () => {
    const { status } = await rest('POST', TOKEN, '', { 'content-type': 'application/json' });
    expect(status).toBe(201);
  });

  it('makes no token without a server certificate, and says why', async () => {
    control.plane().state = { ...control.plane().state, certificate: undefined, reason: 'no such file' };
    expectProblem(await rest('POST', TOKEN), 503, 'LISTENER_NOT_READY', 'no such file');
    await control.settings.set('enable_activitymonitor_ingestion', false);
    expectProblem(await rest('POST', TOKEN), 409, 'INGESTION_DISABLED');
  });

  it('enrolls an agent with it, which then is in the list', async () => {
    const code = (await newToken()).token.split('.')[1] ?? '';
    const plane = control.plane();
    const request = { code, spkiHash: KEY_A, sourceIp: '10.0.0.5', hostname: 'FS-1', agentVersion: '10' };
    expect(await plane.options.handlers.enroll(request)).toEqual({ status: 'Enrolled' });
    expect(plane.calls.at(-1)).toEqual(['updateAllowlist', [{ spkiHash: KEY_A, hostname: 'FS-1' }]]);
    plane.connections = new Map([[KEY_A, 1]]);
    const certificate = { subject: 'CN=FS-1', notAfter: Date.UTC(2027, 0, 1) };
    const { handlers } = plane.options;
    handlers.agentsSeen([KEY_A], 1, { [KEY_A]: { events: 2, bytes: 300, certificate } });
    handlers.agentsSeen([KEY_A], Date.UTC(2026, 10, 20), { [KEY_A]: { events: 5, bytes: 700 } });
    expect((await rest('GET', AGENTS)).body).toEqual([
      {
        spkiHash: KEY_A,
        keyWeakness: null,
        hostnameSharedWith: [],
        hostname: 'FS-1',
        sourceIp: '10.0.0.5',
        enrolledAt: expect.stringMatching(/^\d{4}-.*Z$/),
        lastSeenAt: '2026-11-20T00:00:00.000Z',
        agentVersion: '10',
        connected: true,
        connections: 1,
        eventsReceived: 7,
        bytesReceived: 1_000,
        certificate: { subject: 'CN=FS-1', notAfter: '2027-01-01T00:00:00.000Z' },
      },
    ]);
  });

  it('adds an agent by hand and removes it', async () => {
    const added = await rest('POST', AGENTS, { spkiHash: KEY_A, hostname: 'FS-1' });
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ spkiHash: KEY_A, sourceIp: '', lastSeenAt: null, connected: false });
    const removed = await rest('DELETE', `${AGENTS}/${KEY_A}`);
    expect([removed.status, removed.body]).toEqual([204, '']);
    expect(control.plane().calls.at(-1)).toEqual(['updateAllowlist', []]);
    expectProblem(await rest('DELETE', `${AGENTS}/${KEY_A}`), 404, 'AGENT_UNKNOWN');
    expectProblem(await rest('DELETE', `${AGENTS}/${'x'.repeat(300)}`), 400, 'SPKI_HASH_INVALID');
  });

  it.each([
    [{ spkiHash: 'x', hostname: 'FS-1' }, 'SPKI_HASH_INVALID', 'SPKI'],
    [{ spkiHash: KEY_A, hostname: '' }, 'HOSTNAME_INVALID', 'hostname'],
    [{ spkiHash: KEY_A }, 'BAD_REQUEST', '"hostname" is missing'],
    [{ spkiHash: KEY_A, hostname: 7 }, 'BAD_REQUEST', '"hostname" must be string'],
    [{ spkiHash: KEY_A, hostname: 'a', hostnme: 'b' }, 'BAD_REQUEST', '"hostnme" is not known. The nearest'],
    [[], 'BAD_REQUEST', 'The body must be object'],
    ['null', 'BAD_REQUEST', 'is missing'],
    ['{"spkiHash":', 'BAD_REQUEST', ''],
    ['{"__proto__":{"spkiHash":"x"}}', 'BAD_REQUEST', ''],
  ])('refuses the agent %j', async (body, code, detail) => {
    expectProblem(await rest('POST', AGENTS, body), 400, code, detail);
    expect((await rest('GET', AGENTS)).body).toEqual([]);
  });

  it('shows the state of everything', async () => {
    const plane = control.plane();
    const counts = { received: 5, delivered: 3, deadLettersByCode: { bad_time: 1 } };
    const pipeline = {
      name: 'activity',
      instances: [{ id: 'activity/nam_tls', plugin: 'sources.nam_tls', state: 'ok', since: 0 }],
      counts,
      queue: { entries: 1, rows: 2, bytes: 3, oldestMs: 7 },
      backPressure: false,
    };
    const reactor = { pid: 1, state: 'ready', restarts: 0 };
    const status = { pipelines: [pipeline], connections: 2, rssBytes: 100 };
    plane.state = {
      ...plane.state,
      bans: [{ address: '10.0.0.9', until: 0, reason: 'invalid_code', effect: 'ban' }],
      reactors: [
        { ...reactor, status },
        { ...reactor, status },
      ],
    } as never;
    const { body } = await rest('GET', '/api/v1/nam-listener/status');
    expect(body).toMatchObject({
      gateway: { id: 'gw', version: '0.0.0' },
      listener: {
        state: 'listening',
        port: 41514,
        bans: [{ ip: '10.0.0.9', until: '1970-01-01T00:00:00.000Z', reason: 'invalid_code' }],
        certificate: { spkiHash: TEST_SERVER_SPKI, notAfter: '2036-01-01T00:00:00.000Z' },
        reactors: [{ ...reactor, connections: 2, rssBytes: 100 }, reactor],
      },
      pipelines: [
        {
          name: 'activity',
          counts: { received: 10, delivered: 6, deadLettersByCode: { bad_time: 2 } },
          queue: { entries: 2, rows: 4, bytes: 6, oldestMs: 7 },
          backPressure: false,
        },
      ],
      clickhouse: { state: 'ok', url: 'http://127.0.0.1:48123' },
      settings: { activitymonitor_batch_size: 100 },
    });
  });

  it('asks for events as the query says', async () => {
    control.clickhouse.answer = [{ type: 'file', event_time: '2026-11-20T09:15:02.187Z' }];
    const { status, body } = await rest(
      'GET',
      `${EVENTS}?type=FileSystem&from=2026-11-20&to=1796000000000&user=ALICE&host=FS01&limit=7`,
    );
    expect([status, body]).toEqual([200, control.clickhouse.answer]);
    await rest('GET', EVENTS);
    expect(control.clickhouse.queries).toEqual([
      {
        type: 'file',
        from: Date.UTC(2026, 10, 20),
        to: 1_796_000_000_000,
        user: 'ALICE',
        host: 'FS01',
        limit: 7,
      },
      { limit: 100 },
    ]);
    const summary = await rest('GET', '/api/v1/activity/summary');
    expect(summary.body).toMatchObject({ deadLetters: { total: 0, byCode: {} } });
  });

  it.each([
    'type=smb',
    'from=yesterday',
    'to=',
    'user=',
    'limit=0',
    'limit=1001',
    'limit=1&limit=2',
    'limt=1',
  ])('refuses the query %s and names the parameter', async (query) => {
    const answer = await rest('GET', `${EVENTS}?${query}`);
    expectProblem(answer, 400, 'BAD_REQUEST', `The parameter "${query.split('=')[0]}"`);
  });

  it('says that ClickHouse cannot be asked', async () => {
    control.clickhouse.state = { ...control.clickhouse.state, state: 'degraded' };
    expectProblem(await rest('GET', EVENTS), 503, 'CLICKHOUSE_UNAVAILABLE');
    expectProblem(await rest('GET', '/api/v1/activity/summary'), 503, 'CLICKHOUSE_UNAVAILABLE');
  });

  it('shows nothing of an error that is not for users, and logs it under an id', async () => {
    control.clickhouse.events = () => Promise.reject(new Error('secret internals at 10.1.2.3'));
    const answer = await rest('GET', EVENTS);
    expectProblem(answer, 500, 'INTERNAL_SERVER_ERROR');
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    const line = control.logger.lines.find((each) => each.level === 'error');
    expect(JSON.stringify(answer.body)).toContain(String(line?.fields['errorId']));
  });
});

describe('every answer', () => {
  beforeAll(async () => {
    control = await startControlPlane();
  });
  afterAll(() => control.dispose());

  it.each([
    ['none', ''],
    ['another key', 'Bearer wrong'],
    ['another scheme', `Basic ${TEST_ADMIN_KEY}`],
    ['a longer key', `Bearer ${TEST_ADMIN_KEY}x`],
    ['an empty key', 'Bearer '],
  ])('under /api needs the admin key, not %s', async (_, authorization) => {
    for (const [method, path] of [
      ['GET', AGENTS],
      ['POST', TOKEN],
      ['GET', '/api/v1/nam%2dlistener/agents'],
      ['GET', '/api/v1/nothing'],
      ['GET', '/api'],
      ['PUT', AGENTS],
    ] as const) {
      const answer = await rest(method, path, undefined, { authorization });
      expectProblem(answer, 401, 'UNAUTHORIZED');
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it('is refused before a body is read when the key is missing', async () => {
    const answer = await rest('POST', AGENTS, '{"broken', { authorization: '' });
    expectProblem(answer, 401, 'UNAUTHORIZED');
  });

  it('takes the scheme in any case', async () => {
    expect((await rest('GET', AGENTS, undefined, { authorization: `bearer ${TEST_ADMIN_KEY}` })).status).toBe(
      200,
    );
  });

  it('is a problem for unknown paths, wrong methods, other media and what is too large', async () => {
    expectProblem(await rest('GET', '/api/v1/nothing?user=alice'), 404, 'NOT_FOUND');
    expectProblem(await rest('GET', '/'), 404, 'NOT_FOUND');
    expectProblem(await rest('GET', '/metrics/'), 404, 'NOT_FOUND');
    expectProblem(await rest('GET', '/%zz'), 400, 'BAD_REQUEST');
    const wrongMethod = await rest('PUT', `${AGENTS}/${KEY_A}`);
    expectProblem(wrongMethod, 405, 'METHOD_NOT_ALLOWED', 'DELETE');
    expect(wrongMethod.headers.get('allow')).toBe('DELETE');
    const otherMedia = await rest('POST', AGENTS, 'x', { 'content-type': 'text/plain' });
    expectProblem(otherMedia, 415, 'UNSUPPORTED_MEDIA_TYPE');
    const tooLarge = JSON.stringify({ spkiHash: 'x'.repeat(1_100_000), hostname: 'a' });
    expectProblem(await rest('POST', AGENTS, tooLarge), 413, 'PAYLOAD_TOO_LARGE');
  });

  it('is a problem for bytes that are no HTTP', async () => {
    const socket = connect(Number(new URL(control.httpUrl).port), '127.0.0.1');
    socket.end('GARBAGE\r\n\r\n');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, 'close');
    expect(answer).toContain('HTTP/1.1 400 ');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
  });

  it('carries security headers and no permission for other origins', async () => {
    for (const path of ['/health/live', '/metrics', AGENTS, '/nothing']) {
      const { headers } = await rest('GET', path, undefined, { origin: 'https://evil.example' });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('never carries the admin key into the log', () => {
    expect(JSON.stringify(control.logger.lines)).not.toContain(TEST_ADMIN_KEY);
  });
});
