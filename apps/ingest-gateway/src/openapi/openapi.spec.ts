import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { startControlPlane, type TestControlPlane } from '../../../../test/support/control-plane.js';
import { deadLetterSchema, exampleDeadLetter } from '../dead-letters/dead-letter.schema.js';
import { documentedCodes } from './problem-examples.js';

const KEY = 'a'.repeat(64);
const V1 = '/api/v1';

type Content = Record<string, { schema: object; examples?: Record<string, { value: unknown }> }>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: object[];
  readonly parameters: { name: string; in: string; schema: object }[];
  readonly requestBody?: { content: Content };
  readonly responses: Record<string, { description: string; content?: Content }>;
}
interface Document {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { schemas: Record<string, object>; securitySchemes: object };
}

/** One call of every operation, in an order in which they work; `:id` stands for what the call before it made. */
const CALLS: [operation: string, path: string, status: number, body?: unknown][] = [
  ['POST /api/v1/nam-listener/enrollment-token', '', 201, { name: 'n', maxUses: 2, keepOthers: true }],
  ['GET /api/v1/nam-listener/enrollment-tokens', '', 200],
  ['DELETE /api/v1/nam-listener/enrollment-tokens/{id}', `${V1}/nam-listener/enrollment-tokens/:id`, 204],
  ['POST /api/v1/nam-listener/agents', '', 201, { spkiHash: KEY, hostname: 'FS-1' }],
  ['GET /api/v1/nam-listener/agents', '', 200],
  ['DELETE /api/v1/nam-listener/agents/{spki_hash}', `${V1}/nam-listener/agents/${KEY}`, 204],
  ['POST /api/v1/nam-listener/agents/{spki_hash}/deny', `${V1}/nam-listener/agents/${KEY}/deny`, 200],
  ['POST /api/v1/nam-listener/agents', '', 409, { spkiHash: KEY, hostname: 'FS-1' }],
  ['GET /api/v1/nam-listener/denied-agents', '', 200],
  ['POST /api/v1/nam-listener/agents/{spki_hash}/allow', `${V1}/nam-listener/agents/${KEY}/allow`, 204],
  ['POST /api/v1/nam-listener/agents/{spki_hash}/allow', `${V1}/nam-listener/agents/${KEY}/allow`, 409],
  ['GET /api/v1/nam-listener/status', '', 200],
  ['GET /api/v1/nam-listener/bans', '', 200],
  ['DELETE /api/v1/nam-listener/bans/{ip}', `${V1}/nam-listener/bans/192.0.2.7`, 204],
  ['DELETE /api/v1/nam-listener/bans/{ip}', `${V1}/nam-listener/bans/192.0.2.8`, 404],
  ['DELETE /api/v1/nam-listener/bans/{ip}', `${V1}/nam-listener/bans/x`, 400],
  ['POST /api/v1/nam-listener/certificate/confirm', '', 200],
  ['POST /api/v1/nam-listener/certificate/confirm', '', 409],
  ['GET /api/v1/retention', '', 200],
  ['POST /api/v1/retention/apply', '', 200],
  ['GET /api/v1/settings', '', 200],
  ['PUT /api/v1/settings/{key}', `${V1}/settings/activitymonitor_batch_size`, 200, { value: 50 }],
  ['PUT /api/v1/settings/{key}', `${V1}/settings/activitymonitor_batch_size`, 422, { value: 1 }],
  ['PUT /api/v1/settings/{key}', `${V1}/settings/activitymonitor_batch_size`, 400, {}],
  ['GET /api/v1/settings/{key}', `${V1}/settings/activitymonitor_batch_size`, 200],
  ['GET /api/v1/settings/{key}', `${V1}/settings/activitymonitor_batchsize`, 404],
  ['DELETE /api/v1/settings/{key}', `${V1}/settings/activitymonitor_batch_size`, 200],
  ['GET /api/v1/feature-flags', '', 200],
  [
    'PUT /api/v1/feature-flags/{key}',
    `${V1}/feature-flags/enable_activitymonitor_ingestion`,
    200,
    { value: false },
  ],
  ['POST /api/v1/nam-listener/enrollment-token', '', 409],
  ['GET /api/v1/feature-flags/{key}', `${V1}/feature-flags/enable_activitymonitor_ingestion`, 200],
  ['DELETE /api/v1/feature-flags/{key}', `${V1}/feature-flags/enable_activitymonitor_ingestion`, 200],
  ['POST /api/v1/api-keys', '', 201, { name: 'm', role: 'viewer', expiresAt: '2099-01-01' }],
  ['GET /api/v1/api-keys', '', 200],
  ['DELETE /api/v1/api-keys/{id}', `${V1}/api-keys/:id`, 204],
  ['GET /api/v1/audit', '', 200],
  ['GET /api/v1/activity/events', '', 200],
  ['GET /api/v1/activity/events', `${V1}/activity/events?limit=0`, 400],
  ['GET /api/v1/activity/summary', '', 200],
  ['GET /api/v1/dead-letters', '', 200],
  ['GET /api/v1/dead-letters', `${V1}/dead-letters?limit=0`, 400],
  ['GET /api/v1/dead-letters/summary', '', 200],
  ['GET /api/v1/dead-letters/export', '', 200],
  ['GET /api/v1/dead-letters/{id}', `${V1}/dead-letters/${exampleDeadLetter.id}`, 200],
  ['GET /api/v1/dead-letters/{id}', `${V1}/dead-letters/x`, 404],
  ['POST /api/v1/dead-letters/replay', '', 400, { limit: 0 }],
  ['POST /api/v1/dead-letters/replay', '', 200, { filter: { code: exampleDeadLetter.code } }],
  ['POST /api/v1/dead-letters/replay', '', 503],
  ['GET /health/live', '', 200],
  ['GET /health/ready', '', 200],
  ['GET /metrics', '', 200],
  ['GET /api/openapi.json', '', 200],
  ['GET /api/docs', '', 200],
];

describe('the document of the API', () => {
  let control: TestControlPlane;
  let document: Document;
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
  const operations = (): [string, Operation][] =>
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    );
  const check = (schema: object, value: unknown): string => {
    const validate = ajv.compile({ components: document.components, ...schema });
    return validate(value) ? '' : `${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`;
  };

  beforeAll(async () => {
    formats.default(ajv);
    ajv.addKeyword('components');
    control = await startControlPlane();
    document = (await control.rest('GET', '/api/openapi.json', undefined, { authorization: '' }))
      .body as Document;
  });
  afterAll(() => control.dispose());

  it('names every route that there is, and none that there is not', () => {
    const routes = control
      .routes()
      .filter((route) => !route.startsWith('HEAD ') && route !== 'GET /api/docs/:file')
      .map((route) => route.replace(/:(\w+)/g, '{$1}'));
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual([...new Set(routes)].sort());
  });

  it.each([...new Set(CALLS.map(([name]) => name))])('refuses an unknown parameter: %s', async (name) => {
    const [method = '', path = ''] = name.replace(/\{\w+\}/g, 'x').split(' ');
    const { status, body } = await control.rest(method, `${path}?limt=5`, method === 'GET' ? undefined : {});
    expect(body).toMatchObject({ code: 'BAD_REQUEST', detail: expect.stringContaining('"limt"') });
    expect(status).toBe(400);
  });

  it('is whole: version, ids, parameters, references', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(document.info).toMatchObject({ title: expect.any(String), version: '0.0.0' });
    const ids = operations().map(([, operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, operation] of operations()) {
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/./)]);
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const declared = operation.parameters.filter((each) => each.in === 'path').map((each) => each.name);
      expect([name, declared]).toEqual([name, inPath]);
    }
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(refs.length).toBeGreaterThan(20);
    for (const [, ref] of refs) expect(Object.keys(document.components.schemas)).toContain(ref);
  });

  it('says of every route which key it needs', () => {
    for (const [name, { security, responses }] of operations()) {
      const open = !name.includes(V1);
      expect([name, security]).toEqual([name, open ? undefined : [{ bearer: [] }]]);
      expect([name, '401' in responses]).toEqual([name, !open]);
      expect([name, '403' in responses]).toEqual([name, !open && !name.startsWith('GET ')]);
    }
  });

  it('has examples that fit their schemas, for every body, answer and problem', () => {
    const contents = operations().flatMap(([name, { requestBody, responses }]) =>
      [requestBody, ...Object.values(responses)].flatMap((part) =>
        Object.values(part?.content ?? {}).map((content) => ({ name, ...content })),
      ),
    );
    let examples = 0;
    for (const { name, schema, examples: given } of contents) {
      for (const { value } of Object.values(given ?? {})) {
        expect([name, check(schema, value)]).toEqual([name, '']);
        examples += 1;
      }
    }
    expect(examples).toBeGreaterThan(100);
  });

  it('knows every problem that it has an example of', () => {
    const text = JSON.stringify(document);
    const unused = new Set(['NOT_FOUND', 'METHOD_NOT_ALLOWED']);
    for (const code of documentedCodes.filter((each) => !unused.has(each))) {
      expect(text).toContain(`"${code}":{"value"`);
    }
  });

  it('describes what is really answered, for every route', async () => {
    const plane = control.plane();
    const keyChange = { from: KEY, to: KEY, served: false };
    const certificate = { spkiHash: KEY, notAfter: 0, selfSigned: true, keyChange };
    const ban = { address: '192.0.2.7', until: 0, reason: 'test', effect: 'ban' as const };
    plane.state = { ...plane.state, certificate, bans: [ban] };
    // The second stays: a replay of it finds no reactor.
    control.clickhouse.memory.letters = [
      exampleDeadLetter,
      { ...exampleDeadLetter, id: exampleDeadLetter.id.replace(/^./, '1'), code: 'late' },
    ];
    plane.replayed = ([item]) =>
      item?.id === exampleDeadLetter.id ? [{ id: item.id, outcome: 'replayed' }] : undefined;
    control.clickhouse.answer = [{ type: 'file', event_time: '2026-11-20T09:15:02.187Z', path: 'p' }];
    let id = '';
    for (const [name, path, status, body] of CALLS) {
      const [method = '', template = ''] = name.split(' ');
      const answer = await control.rest(method, (path || template).replace(':id', id), body);
      expect([name, answer.status]).toEqual([name, status]);
      if (status === 201) id = (answer.body as { id?: string }).id ?? id;
      const described = document.paths[template]?.[method.toLowerCase()]?.responses[status];
      const [mediaType] = (answer.headers.get('content-type') ?? '').split(';');
      const schema = described?.content?.[mediaType ?? '']?.schema;
      if (status === 204) expect([name, described?.content, answer.body]).toEqual([name, undefined, '']);
      else expect([name, check(schema!, answer.body)]).toEqual([name, '']);
      if (mediaType !== 'application/x-ndjson') continue;
      const lines = String(answer.body).trimEnd().split('\n');
      expect(lines).toHaveLength(2);
      for (const line of lines) expect([line, check(deadLetterSchema, JSON.parse(line))]).toEqual([line, '']);
    }
    const called = new Set(CALLS.map(([name]) => name));
    expect([...called].sort()).toEqual(
      operations()
        .map(([name]) => name)
        .sort(),
    );
  });

  it('can be browsed without a key, with nothing from elsewhere', async () => {
    const open = { authorization: '' };
    const page = await control.rest('GET', '/api/docs', undefined, open);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const files = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]);
    expect(files).toHaveLength(4);
    for (const file of files) {
      expect(file).toMatch(/^docs\/[\w.-]+$/);
      expect((await control.rest('GET', `/api/${file}`, undefined, open)).status).toBe(200);
    }
    expect(String(page.body)).not.toMatch(/<script>|style=|https?:/);
    expect((await control.rest('GET', '/api/docs/package.json', undefined, open)).status).toBe(404);
    expect((await control.rest('GET', '/api/docs/..%2fpackage.json', undefined, open)).status).toBe(404);
  });
});
