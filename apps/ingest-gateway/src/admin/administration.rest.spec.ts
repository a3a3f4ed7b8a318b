import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { startControlPlane, type TestControlPlane } from '../../../../test/support/control-plane.js';

const KEY_A = 'a'.repeat(64);
const V1 = '/api/v1';
const TOKENS = `${V1}/nam-listener/enrollment-tokens`;
const BANS = `${V1}/nam-listener/bans`;
const KEYS = `${V1}/api-keys`;

interface Entry {
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly actor: { id: string; name: string };
}

describe('the administration over REST', () => {
  let control: TestControlPlane;
  beforeEach(async () => {
    control = await startControlPlane();
  });
  afterEach(() => control.dispose());

  const ok = async <T>(method: string, path: string, body?: unknown, key?: string): Promise<T> => {
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const answer = await control.rest(method, path, body, headers);
    expect([answer.status < 300, answer.body]).toEqual([true, expect.anything()]);
    return answer.body as T;
  };
  const status = async (method: string, path: string, body?: unknown, key?: string): Promise<number> => {
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    return (await control.rest(method, path, body, headers)).status;
  };
  const audit = (query = ''): Promise<Entry[]> => ok<Entry[]>('GET', `${V1}/audit${query}`);

  describe('the retention', () => {
    const RETENTION = `${V1}/retention`;
    const change = { table: 'file_events', currentDays: 400, configuredDays: 30, rows: 7 };

    it('shows what waits, makes it when it is confirmed, and records what goes', async () => {
      control.clickhouse.retention = [change];
      expect(await ok('GET', RETENTION)).toEqual({ changes: [change] });
      expect(await ok('POST', `${RETENTION}/apply`)).toEqual({ changes: [change] });
      expect(await ok('POST', `${RETENTION}/apply`)).toEqual({ changes: [] });
      const [second, first] = await audit('?action=retention.apply');
      expect(first).toMatchObject({
        target: 'file_events',
        outcome: 'ok',
        before: [{ table: 'file_events', days: 400 }],
        after: [{ table: 'file_events', days: 30, deletedRows: 7 }],
      });
      expect(second).toMatchObject({ target: '', after: [] });
    });

    it('records what was changed before a later table failed, and the failure', async () => {
      const changes = ['file_events', 'leef_events'].map((table) => ({
        table,
        currentDays: 400,
        configuredDays: 30,
        rows: 7,
      }));
      control.clickhouse.retention = changes;
      control.clickhouse.unchangeable = 'leef_events';
      expect(await status('POST', `${RETENTION}/apply`)).toBe(409);
      control.clickhouse.unchangeable = undefined;
      const entries = await audit('?action=retention.apply');
      expect(entries).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            target: 'file_events',
            outcome: 'ok',
            after: [{ table: 'file_events', days: 30, deletedRows: 7 }],
          }),
          expect.objectContaining({ outcome: 'RETENTION_UNSAFE' }),
        ]),
      );
    });

    it('is nothing for a viewer to change, and waits while ClickHouse is down', async () => {
      const viewer = await ok<{ key: string }>('POST', KEYS, { name: 'v', role: 'viewer' });
      expect(await status('GET', RETENTION, undefined, viewer.key)).toBe(200);
      expect(await status('POST', `${RETENTION}/apply`, undefined, viewer.key)).toBe(403);
      control.clickhouse.state = { ...control.clickhouse.state, state: 'degraded' };
      expect(await status('POST', `${RETENTION}/apply`)).toBe(503);
      expect(await audit('?action=retention.apply')).toEqual([
        expect.objectContaining({ outcome: 'CLICKHOUSE_UNAVAILABLE' }),
      ]);
    });
  });

  describe('enrollment tokens', () => {
    const create = (body?: unknown): Promise<{ id: string; token: string; expiresAt: string }> =>
      ok('POST', `${V1}/nam-listener/enrollment-token`, body);

    it('lists them without their secret, and revokes one', async () => {
      const first = await create();
      const second = await create({ name: 'Berlin', lifetimeSeconds: 60, maxUses: 3, keepOthers: true });
      const listed = await ok<object[]>('GET', TOKENS);
      expect(listed).toHaveLength(2);
      expect(listed).toContainEqual({
        id: second.id,
        name: 'Berlin',
        createdAt: expect.stringMatching(/Z$/),
        expiresAt: second.expiresAt,
        uses: 0,
        maxUses: 3,
        state: 'live',
      });
      for (const { token } of [first, second]) {
        expect(JSON.stringify([listed, await audit()])).not.toContain(token.split('.')[1]);
      }
      expect(await status('DELETE', `${TOKENS}/${first.id}`)).toBe(204);
      const states = await ok<{ id: string; state: string }[]>('GET', TOKENS);
      expect(states.find(({ id }) => id === first.id)?.state).toBe('revoked');
      expect(states.find(({ id }) => id === second.id)?.state).toBe('live');
      expect(await status('DELETE', `${TOKENS}/unknown`)).toBe(404);
    });

    it('ends earlier ones with a new one, unless told otherwise', async () => {
      await create();
      await create({});
      const states = await ok<{ state: string }[]>('GET', TOKENS);
      expect(states.map(({ state }) => state).sort()).toEqual(['live', 'revoked']);
    });

    it.each([
      [{ lifetimeSeconds: 59 }, 'from 60 to 604800'],
      [{ lifetimeSeconds: 604_801 }, 'from 60 to 604800'],
      [{ lifetimeSeconds: '60' }, 'from 60 to 604800'],
      [{ maxUses: 0 }, 'from 1 to 100000'],
      [{ name: '' }, '1 to 100 characters'],
      [{ name: 'a\nb' }, '1 to 100 characters'],
      [{ keepOther: true }, '"keepOthers"'],
    ])('refuses %j', async (body, detail) => {
      const answer = await control.rest('POST', `${V1}/nam-listener/enrollment-token`, body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ detail: expect.stringContaining(detail) });
      expect(await ok('GET', TOKENS)).toEqual([]);
    });
  });

  it('shows and lifts bans and slowings: an IPv4-mapped address is its IPv4 address, another one its /64', async () => {
    const plane = control.plane();
    const ban = { until: Date.UTC(2026, 10, 20), reason: 'protocol_violation', effect: 'ban' as const };
    plane.state = {
      ...plane.state,
      bans: [
        { ...ban, address: '192.0.2.7' },
        { ...ban, address: '2001:db8::/64', effect: 'slow' },
        { ...ban, address: '2001:db8:0:1::/64' },
      ],
    };
    const shown = { until: '2026-11-20T00:00:00.000Z', reason: 'protocol_violation', effect: 'ban' };
    expect(await ok('GET', BANS)).toEqual([
      { ...shown, ip: '192.0.2.7' },
      { ...shown, ip: '2001:db8::/64', effect: 'slow' },
      { ...shown, ip: '2001:db8:0:1::/64' },
    ]);
    expect(await status('DELETE', `${BANS}/::ffff:192.0.2.7`)).toBe(204);
    expect(await status('DELETE', `${BANS}/2001:0DB8::0001`)).toBe(204);
    expect(await status('DELETE', `${BANS}/${encodeURIComponent('2001:db8:0:1::/64')}`)).toBe(204);
    expect(await ok('GET', BANS)).toEqual([]);
    expect(await status('DELETE', `${BANS}/192.0.2.7`)).toBe(404);
    expect(await status('DELETE', `${BANS}/192.0.2.777`)).toBe(400);
    expect(await status('DELETE', `${BANS}/${encodeURIComponent('2001:db8::/48')}`)).toBe(400);
    expect((await audit('?action=ban.lift')).map(({ target, outcome }) => [target, outcome])).toEqual([
      // Two of them, counted together.
      ['2001:db8::/48', 'IP_INVALID'],
      ['192.0.2.7', 'BAN_UNKNOWN'],
      ['2001:db8:0:1::/64', 'ok'],
      ['2001:db8::/64', 'ok'],
      ['192.0.2.7', 'ok'],
    ]);
  });

  describe('API keys', () => {
    const create = (body: object): Promise<{ key: string; id: string }> => ok('POST', KEYS, body);

    it('are made, used, listed without their secret and revoked', async () => {
      const { key, id } = await create({ name: 'deploy', role: 'admin' });
      expect(key).toMatch(/^nak1\.[\w-]{43}$/);
      expect(await status('GET', KEYS, undefined, key)).toBe(200);
      const listed = await ok<object[]>('GET', KEYS, undefined, key);
      expect(listed).toEqual([
        {
          id,
          name: 'deploy',
          role: 'admin',
          createdAt: expect.stringMatching(/Z$/),
          lastUsedAt: expect.stringMatching(/Z$/),
          expiresAt: null,
        },
      ]);
      await ok('POST', `${V1}/nam-listener/agents`, { spkiHash: KEY_A, hostname: 'FS-1' }, key);
      expect((await audit('?action=agent.add'))[0]?.actor).toEqual({ id, name: 'deploy' });
      expect(await status('DELETE', `${KEYS}/${id}`, undefined, key)).toBe(204);
      expect(await status('GET', KEYS, undefined, key)).toBe(401);
      expect(await status('DELETE', `${KEYS}/${id}`)).toBe(404);
      const kept = JSON.stringify([await audit(), await control.store.apiKeys.list(), control.logger.lines]);
      expect(kept).not.toContain(key);
    });

    it('let a viewer read and change nothing', async () => {
      const { key } = await create({ name: 'monitoring', role: 'viewer' });
      for (const path of ['/settings', '/nam-listener/agents', '/audit', '/nam-listener/status']) {
        expect(await status('GET', V1 + path, undefined, key)).toBe(200);
      }
      for (const [method, path] of [
        ['POST', '/nam-listener/enrollment-token'],
        ['PUT', '/settings/activitymonitor_batch_size'],
        ['DELETE', '/settings/activitymonitor_batch_size'],
        ['DELETE', `/nam-listener/agents/${KEY_A}`],
        ['POST', '/api-keys'],
        ['POST', '/nothing'],
      ] as const) {
        const headers = { authorization: `Bearer ${key}` };
        const answer = await control.rest(method, V1 + path, undefined, headers);
        expect([answer.status, answer.body]).toEqual([403, expect.objectContaining({ code: 'FORBIDDEN' })]);
      }
      expect(await audit('?outcome=ok')).toHaveLength(1);
      expect(await audit('?outcome=rejected')).toMatchObject([{ outcome: 'FORBIDDEN' }]);
    });

    it('end when they were told to', async () => {
      const expiresAt = new Date(Date.now() + 400).toISOString();
      const { key } = await create({ name: 'short', role: 'viewer', expiresAt });
      expect(await status('GET', KEYS, undefined, key)).toBe(200);
      await wait(Math.max(0, Date.parse(expiresAt) - Date.now()) + 5);
      expect(await status('GET', KEYS, undefined, key)).toBe(401);
    });

    it.each([
      [{ role: 'admin' }, '"name" is missing'],
      [{ name: 'x', role: 'root' }, 'admin changes, viewer reads'],
      [{ name: 'x', role: 'admin', expiresAt: 'soon' }, '"expiresAt" is no time'],
      [{ name: 'x', role: 'admin', expiresAt: '2020-01-01' }, 'not in the future'],
    ])('are refused for %j', async (body, detail) => {
      const answer = await control.rest('POST', KEYS, body);
      expect(answer.status).toBe(400);
      expect(answer.body).toMatchObject({ detail: expect.stringContaining(detail) });
      expect(await ok('GET', KEYS)).toEqual([]);
    });

    it('of another form or another secret are invalid', async () => {
      const { key } = await create({ name: 'x', role: 'admin' });
      const flipped = key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A');
      for (const wrong of [flipped, key.slice(0, -1), `${key}A`, key.toUpperCase(), 'nak1.']) {
        expect(await status('GET', KEYS, undefined, wrong)).toBe(401);
      }
    });

    it('work on for a while when the store is away; others cannot be told', async () => {
      const { key } = await create({ name: 'x', role: 'viewer' });
      await ok('GET', KEYS, undefined, key);
      await control.store.close();
      expect(await status('GET', `${V1}/settings`, undefined, key)).toBe(200);
      expect(await status('GET', `${V1}/settings`, undefined, `nak1.${'A'.repeat(43)}`)).toBe(503);
      expect(await status('GET', `${V1}/settings`)).toBe(200);
    });
  });

  describe('the audit trail', () => {
    it('tells who changed what from what to what, when and from where', async () => {
      await ok('PUT', `${V1}/settings/activitymonitor_batch_size`, { value: 200 });
      await control.rest('PUT', `${V1}/settings/activitymonitor_batch_size`, { value: 1 });
      await ok('DELETE', `${V1}/settings/activitymonitor_batch_size`);
      await ok('PUT', `${V1}/feature-flags/enable_activitymonitor_ingestion`, { value: false });
      await ok('POST', `${V1}/nam-listener/agents`, { spkiHash: KEY_A.toUpperCase(), hostname: 'FS-1' });
      await ok('POST', `${V1}/nam-listener/agents`, { spkiHash: KEY_A, hostname: 'FS-2' });
      await status('DELETE', `${V1}/nam-listener/agents/${KEY_A}`);
      const entries = await audit();
      expect(entries.at(-1)).toEqual({
        id: expect.any(String),
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        firstAt: expect.stringMatching(/^\d{4}-.*Z$/),
        count: 1,
        action: 'setting.set',
        target: 'activitymonitor_batch_size',
        actor: { id: 'bootstrap', name: 'bootstrap' },
        from: '127.0.0.1',
        outcome: 'ok',
        before: 100,
        after: 200,
      });
      expect(entries.slice(0, -1)).toMatchObject([
        { action: 'agent.remove', target: KEY_A, before: { hostname: 'FS-2' }, after: null },
        { action: 'agent.add', target: KEY_A, before: { hostname: 'FS-1' }, after: { hostname: 'FS-2' } },
        { action: 'agent.add', target: KEY_A, before: null, after: { hostname: 'FS-1' } },
        { action: 'feature-flag.set', before: true, after: false },
        { action: 'setting.reset', before: 200, after: 100 },
        { action: 'setting.set', outcome: 'SETTING_INVALID', before: 200, after: null },
      ]);
    });

    it('counts what is rejected, tells who and from where, and keeps what was done', async () => {
      await ok('PUT', `${V1}/settings/activitymonitor_batch_size`, { value: 200 });
      const { key, id } = await ok<{ key: string; id: string }>('POST', `${V1}/api-keys`, {
        name: 'monitoring',
        role: 'viewer',
      });
      const size = `${V1}/settings/activitymonitor_batch_size`;
      for (let i = 0; i < 30; i += 1) {
        await control.rest('PUT', size, { value: 1 });
        await control.rest('GET', size, undefined, { authorization: 'Bearer wrong' });
        await control.rest('DELETE', size, undefined, { authorization: `Bearer ${key}` });
      }
      control.plane().options.handlers.penalized?.('192.0.2.7', 'slow', 'wrong code');
      const bootstrap = { id: 'bootstrap', name: 'bootstrap' };
      const rejected = await audit('?outcome=rejected');
      const by = (outcome: string): unknown => rejected.find((entry) => entry.outcome === outcome);
      const route = `${V1}/settings/:key`;
      expect(by('SETTING_INVALID')).toMatchObject({ action: 'setting.set', count: 30, actor: bootstrap });
      expect(by('UNAUTHORIZED')).toMatchObject({
        action: 'request',
        target: `GET ${route}`,
        count: 30,
        actor: { id: '' },
      });
      expect(by('FORBIDDEN')).toMatchObject({
        target: `DELETE ${route}`,
        count: 30,
        actor: { id, name: 'monitoring' },
      });
      expect(by('wrong code')).toMatchObject({
        action: 'ban.set',
        from: '192.0.2.7',
        after: { effect: 'slow' },
      });
      expect(rejected).toHaveLength(4);
      expect((await audit('?outcome=ok')).map(({ action }) => action)).toEqual([
        'api-key.create',
        'setting.set',
      ]);
      expect(await audit()).toHaveLength(6);
      const warnings = control.logger.lines.filter(({ fields }) => fields['sourceIp'] === '127.0.0.1');
      expect(warnings.filter(({ level }) => level === 'warn')).toHaveLength(3);
      expect(JSON.stringify(control.logger.lines)).not.toMatch(/Bearer|wrong key/);
    });

    it('is asked by time, action and number', async () => {
      await ok('PUT', `${V1}/settings/activitymonitor_batch_size`, { value: 200 });
      await ok('DELETE', `${V1}/settings/activitymonitor_batch_size`);
      expect(await audit('?action=setting.set')).toHaveLength(1);
      expect(await audit('?limit=1')).toMatchObject([{ action: 'setting.reset' }]);
      expect(await audit(`?from=${Date.now() + 60_000}`)).toEqual([]);
      expect(await audit('?to=2020-01-01')).toEqual([]);
      for (const query of [
        'limit=0',
        'limit=1001',
        'action=x',
        'outcome=x',
        'from=soon',
        'frm=1',
        'from=2&to=1',
      ]) {
        expect(await status('GET', `${V1}/audit?${query}`)).toBe(400);
      }
    });
  });
});
