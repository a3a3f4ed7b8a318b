import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { ReplayItem, ReplayOutcome } from '@activity-gateway/pipeline/host';
import { startTestClickHouse, type TestClickHouse } from '../../../../test/support/clickhouse.js';
import {
  startControlPlane,
  TEST_ADMIN_KEY,
  type RestAnswer,
  type TestControlPlane,
} from '../../../../test/support/control-plane.js';
import { DeadLetterQueries } from '../clickhouse/dead-letter-queries.js';
import type { DeadLetter } from '../clickhouse/types.js';

const BASE = '/api/v1/dead-letters';
const SPKI = 'ab'.repeat(32);

let clickhouse: TestClickHouse;
let control: TestControlPlane;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());
beforeEach(async () => {
  await clickhouse.run('TRUNCATE TABLE dead_letters');
  control = await startControlPlane();
  control.clickhouse.deadLetterStore = new DeadLetterQueries(clickhouse.client, 'activity');
});
afterEach(() => control.dispose());

/** Dead letters a second apart, `n` in their messages. */
async function insert(count: number, change: (n: number) => object = () => ({})): Promise<void> {
  const values = Array.from({ length: count }, (_, n) => ({
    received_at: new Date(Date.now() - 3_600_000 + n * 1_000)
      .toISOString()
      .replace('T', ' ')
      .replace('Z', ''),
    agent_spki: SPKI,
    agent_host: 'FS-AGENT-01',
    source_ip: '10.0.0.7',
    pipeline: 'activity',
    stage: 'validate',
    code: 'wrong_type',
    field: '/FileSize',
    message: `Message ${n}.`,
    raw: `{"n":${n}}`,
    raw_encoding: 'utf8',
    ingest_batch: 'g/1/1',
    event_type: 'file',
    ...change(n),
  }));
  await clickhouse.client.insert({
    table: 'dead_letters',
    values,
    format: 'JSONEachRow',
    clickhouse_settings: { async_insert: 0 },
  });
}

interface Page {
  readonly deadLetters: DeadLetter[];
  readonly cursor?: string;
}
const list = async (query = ''): Promise<Page> => {
  const { status, body } = await control.rest('GET', `${BASE}${query}`);
  expect(status).toBe(200);
  return body as Page;
};
const messages = ({ deadLetters }: Page): string[] => deadLetters.map(({ message }) => message);
const expectProblem = ({ status, body }: RestAnswer, wanted: number, code: string): void => {
  expect([status, body]).toEqual([wanted, expect.objectContaining({ code })]);
};

describe('the list', () => {
  it('needs the admin key', async () => {
    expect((await fetch(control.httpUrl + BASE)).status).toBe(401);
  });

  it('shows all that is known, newest first', async () => {
    await insert(2);
    const page = await list();
    expect(messages(page)).toEqual(['Message 1.', 'Message 0.']);
    expect(page).not.toHaveProperty('cursor');
    expect(page.deadLetters[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      received_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      agent_spki: SPKI,
      agent_host: 'FS-AGENT-01',
      source_ip: '10.0.0.7',
      pipeline: 'activity',
      stage: 'validate',
      code: 'wrong_type',
      field: '/FileSize',
      message: 'Message 1.',
      raw: '{"n":1}',
      raw_encoding: 'utf8',
      destination: '',
      ingest_batch: 'g/1/1',
      replayed_at: null,
      event_type: 'file',
    });
  });

  it('comes in pages that leave nothing out, of one moment too', async () => {
    const received_at = new Date(Date.now() - 60_000).toISOString().replace('T', ' ').replace('Z', '');
    await insert(25, (n) => (n < 15 ? { received_at } : {}));
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(`?limit=10${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      found.push(...messages(page));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(found).toHaveLength(25);
    expect(new Set(found).size).toBe(25);
  });

  it.each([
    ['?code=late', ['Message 1.']],
    ['?stage=frame', ['Message 2.']],
    ['?agent=fs-agent-02', ['Message 3.']],
    [`?agent=${'cd'.repeat(32)}`, ['Message 4.']],
    ['?pipeline=other', ['Message 5.']],
    ['?replayed=true', ['Message 6.']],
    ['?type=Copilot', ['Message 7.']],
    ["?code='%20OR%201=1", []],
    ['?code=wrong_type&agent=fs-agent-02', ['Message 3.']],
  ])('is filtered: %s', async (query, wanted) => {
    const changes: Record<number, object> = {
      1: { code: 'late' },
      2: { stage: 'frame' },
      3: { agent_host: 'FS-AGENT-02' },
      4: { agent_spki: 'cd'.repeat(32) },
      5: { pipeline: 'other' },
      6: { replayed_at: '2026-11-20 10:00:00.000' },
      7: { event_type: 'copilot' },
    };
    await insert(8, (n) => changes[n] ?? {});
    expect(messages(await list(query))).toEqual(wanted);
  });

  it('takes a period: its start belongs to it, its end does not', async () => {
    await insert(5);
    const all = (await list()).deadLetters.map(({ received_at: at }) => at).reverse();
    expect(messages(await list(`?from=${all[1]}&to=${all[3]}`))).toEqual(['Message 2.', 'Message 1.']);
  });

  it('cuts long messages, which are whole by their id', async () => {
    await insert(1, () => ({ raw: 'ä'.repeat(10_000) }));
    const [letter] = (await list()).deadLetters;
    expect(letter!.raw).toHaveLength(4_097);
    const { body } = await control.rest('GET', `${BASE}/${letter!.id}`);
    expect((body as DeadLetter).raw).toBe('ä'.repeat(10_000));
  });

  it.each(['?limit=0', '?limit=x', '?stage=x', '?from=x', '?replayed=1', '?nonsense=1', '?cursor=x'])(
    'refuses %s',
    async (query) => {
      expectProblem(await control.rest('GET', BASE + query), 400, 'BAD_REQUEST');
    },
  );

  it.each(['x', '00000000-0000-0000-0000-000000000000'])('knows no dead letter %s', async (id) => {
    expectProblem(await control.rest('GET', `${BASE}/${id}`), 404, 'DEAD_LETTER_UNKNOWN');
  });

  it('says so when ClickHouse cannot be asked', async () => {
    control.clickhouse.state = { ...control.clickhouse.state, state: 'failed' };
    for (const path of ['', '/summary', '/export']) {
      expectProblem(await control.rest('GET', BASE + path), 503, 'CLICKHOUSE_UNAVAILABLE');
    }
  });
});

describe('the summary', () => {
  it('counts by code and stage', async () => {
    await insert(5, (n) => (n < 2 ? { code: 'late', replayed_at: '2026-11-20 10:00:00.000' } : {}));
    const { body } = await control.rest('GET', `${BASE}/summary`);
    expect(body).toMatchObject({
      total: 5,
      replayed: 2,
      byCode: [
        { code: 'wrong_type', stage: 'validate', count: 3, replayed: 0 },
        { code: 'late', stage: 'validate', count: 2, replayed: 2 },
      ],
      size: { rows: 5, bytes: expect.any(Number) },
    });
  });
});

describe('the export', () => {
  it('gives every dead letter as a line of JSON, oldest first', async () => {
    await insert(3_000, (n) => ({ code: n % 2 === 0 ? 'even' : 'odd', raw: `line\n${n}` }));
    const answer = await fetch(`${control.httpUrl}${BASE}/export?code=odd`, {
      headers: { authorization: `Bearer ${TEST_ADMIN_KEY}` },
    });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await answer.text()).trimEnd().split('\n');
    const raws = lines.map((line) => (JSON.parse(line) as DeadLetter).raw);
    expect(raws).toEqual(Array.from({ length: 1_500 }, (_, n) => `line\n${n * 2 + 1}`));
  });

  it('is empty where there are none', async () => {
    const { status, body } = await control.rest('GET', `${BASE}/export`);
    expect([status, body]).toEqual([200, '']);
  });
});

describe('the document of the API', () => {
  it('describes rows as ClickHouse gives them', async () => {
    const { body } = await control.rest('GET', '/api/openapi.json');
    const { components } = body as { components: { schemas: Record<string, object> } };
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    const check = (name: string, value: unknown): string => {
      const validate = ajv.compile({ components, $ref: `#/components/schemas/${name}` });
      return validate(value) ? '' : ajv.errorsText(validate.errors);
    };
    const row = { stage: 'sink', raw_encoding: 'row', destination: 'file_activity' };
    await insert(2, (n) => (n === 0 ? { ...row, replayed_at: '2026-11-20 10:00:00.000' } : {}));
    const page = await list('?limit=1');
    const exported = await control.rest('GET', `${BASE}/export`);
    expect(check('DeadLetterPage', page)).toBe('');
    expect(check('DeadLetterPage', await list())).toBe('');
    expect(check('DeadLetterSummary', (await control.rest('GET', `${BASE}/summary`)).body)).toBe('');
    expect(check('DeadLetter', JSON.parse(String(exported.body).split('\n')[0]!))).toBe('');
    expect(check('DeadLetter', { ...page.deadLetters[0], stage: 'nowhere' })).not.toBe('');
  });
});

describe('a replay', () => {
  const replay = (body?: object): Promise<RestAnswer> => control.rest('POST', `${BASE}/replay`, body ?? {});
  const numberOf = ({ raw }: ReplayItem): number => (JSON.parse(raw) as { n: number }).n;
  const sent = (): ReplayItem[] =>
    control
      .plane()
      .calls.filter(([name]) => name === 'replay')
      .flatMap(([, , items]) => items as ReplayItem[]);
  const answer = (outcome: (n: number) => Omit<ReplayOutcome, 'id'>): void => {
    control.plane().replayed = (items) => items.map((item) => ({ id: item.id, ...outcome(numberOf(item)) }));
  };

  it('sends them with the agent they came from, says what became of each, and marks what is stored', async () => {
    await insert(6);
    const refused = { outcome: 'refused', code: 'wrong_type', message: 'Still wrong.' } as const;
    answer((n) => (n < 2 ? refused : { outcome: n === 2 ? 'stored' : 'replayed' }));
    const { status, body } = await replay();
    expect([status, body]).toEqual([
      200,
      {
        replayed: 3,
        alreadyStored: 1,
        refused: 2,
        failed: 0,
        skipped: 0,
        problems: [{ code: 'wrong_type', message: 'Still wrong.', count: 2 }],
      },
    ]);
    expect(sent().map(numberOf)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(sent()[0]).toMatchObject({
      origin: { sender: SPKI, senderHost: 'FS-AGENT-01', sourceIp: '10.0.0.7' },
      receivedAt: expect.any(Number),
      encoding: 'utf8',
    });
    expect(messages(await list('?replayed=true'))).toHaveLength(4);
    expect(messages(await list('?replayed=false'))).toEqual(['Message 1.', 'Message 0.']);
  });

  it('leaves those alone that were replayed', async () => {
    await insert(4);
    answer(() => ({ outcome: 'replayed' }));
    await replay({ filter: { to: new Date(Date.now() - 3_599_000).toISOString() } });
    const first = sent().length;
    const { body } = await replay();
    expect(body).toMatchObject({ replayed: 4 - first, skipped: first });
    expect((await replay()).body).toMatchObject({ replayed: 0, skipped: 4 });
    expect(sent()).toHaveLength(4);
  });

  it('takes a filter, ids among it', async () => {
    await insert(4, (n) => (n === 1 ? { code: 'late' } : {}));
    answer(() => ({ outcome: 'replayed' }));
    expect((await replay({ filter: { code: 'late' } })).body).toMatchObject({ replayed: 1 });
    const [newest] = (await list()).deadLetters;
    expect((await replay({ filter: { ids: [newest!.id] } })).body).toMatchObject({ replayed: 1 });
    expect(sent().map(numberOf)).toEqual([1, 3]);
  });

  it('goes on where its limit ended it', async () => {
    await insert(1_200);
    answer((n) => ({ outcome: n % 2 === 0 ? 'refused' : 'replayed' }));
    const { body } = await replay({ limit: 700 });
    expect(body).toMatchObject({ replayed: 350, refused: 350, cursor: expect.any(String) });
    const { cursor } = body as { cursor: string };
    const rest = (await replay({ cursor })).body;
    expect(rest).toMatchObject({ replayed: 250, refused: 250 });
    expect(rest).not.toHaveProperty('cursor');
    expect(sent().map(numberOf)).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
  });

  it('sends large messages in small numbers', async () => {
    await insert(5, (n) => ({ raw: JSON.stringify({ n, text: 'x'.repeat(3_000_000) }) }));
    answer(() => ({ outcome: 'replayed' }));
    expect((await replay()).body).toMatchObject({ replayed: 5 });
    const calls = control.plane().calls.filter(([name]) => name === 'replay');
    expect(calls.map(([, , items]) => (items as unknown[]).length)).toEqual([2, 2, 1]);
  });

  it('stops at a failure, and says where to begin again', async () => {
    await insert(1_000);
    answer((n) =>
      n === 600 ? { outcome: 'failed', code: 'ECONNREFUSED', message: 'Down.' } : { outcome: 'replayed' },
    );
    const { body } = await replay();
    expect(body).toMatchObject({ replayed: 999, failed: 1, cursor: expect.any(String) });
    answer(() => ({ outcome: 'replayed' }));
    const { cursor } = body as { cursor: string };
    expect((await replay({ cursor })).body).toMatchObject({ replayed: 1, failed: 0, skipped: 999 });
  });

  it('says so when no reactor answers, and does one thing at a time', async () => {
    await insert(1);
    expectProblem(await replay(), 503, 'REPLAY_UNAVAILABLE');
    answer(() => ({ outcome: 'replayed' }));
    const answers = await Promise.all([replay(), replay()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)!.body).toMatchObject({ code: 'REPLAY_RUNNING' });
  });

  it('is in the audit trail: who, which, and what became of them', async () => {
    await insert(3, (n) => (n === 2 ? { code: 'late' } : {}));
    await replay({ filter: { code: 'wrong_type' } });
    answer((n) => (n === 0 ? { outcome: 'refused', code: 'wrong_type' } : { outcome: 'replayed' }));
    const from = new Date(Date.now() - 86_400_000).toISOString();
    await replay({ filter: { code: 'wrong_type', from }, limit: 50 });
    const ids = (await list('?code=late')).deadLetters.map(({ id }) => id);
    await replay({ filter: { ids } });
    await replay();
    const { body } = await control.rest('GET', '/api/v1/audit?action=dead-letters.replay');
    const counts = { replayed: 1, alreadyStored: 0, refused: 0, failed: 0, skipped: 0 };
    expect(body).toMatchObject([
      { target: 'all', after: { filter: {}, replayed: 0, refused: 1, skipped: 2 } },
      { target: `ids=${ids[0]}`, after: { filter: { ids: 1 }, limit: 10_000, ...counts } },
      {
        action: 'dead-letters.replay',
        target: `code=wrong_type from=${from}`,
        actor: { id: 'bootstrap' },
        outcome: 'ok',
        before: null,
        after: { filter: { code: 'wrong_type', from }, limit: 50, ...counts, refused: 1 },
      },
      { target: 'code=wrong_type', outcome: 'REPLAY_UNAVAILABLE', after: null },
    ]);
  });

  it('needs a key that may change things', async () => {
    const created = await control.rest('POST', '/api/v1/api-keys', { name: 'm', role: 'viewer' });
    const headers = { authorization: `Bearer ${(created.body as { key: string }).key}` };
    expect((await control.rest('GET', BASE, undefined, headers)).status).toBe(200);
    expectProblem(await control.rest('POST', `${BASE}/replay`, {}, headers), 403, 'FORBIDDEN');
  });

  it.each([
    { filter: { ids: ['x'] } },
    { filter: { replayed: 'true' } },
    { filter: { stage: 'x' } },
    { limit: 0 },
    { cursor: 'x' },
    { nonsense: 1 },
  ])('refuses %j', async (body) => {
    expectProblem(await replay(body), 400, 'BAD_REQUEST');
  });
});
