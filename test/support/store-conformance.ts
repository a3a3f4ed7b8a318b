import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addressCases } from './store-conformance-addresses.js';
import { pollUntil } from './poll.js';
import type {
  Store,
  StoredAgent,
  StoredApiKey,
  StoredAuditEntry,
  StoredEnrollmentToken,
} from '../../apps/ingest-gateway/src/store/repositories.js';
import { rejectionCases } from './rejection-conformance.js';

const KEY_A = 'a'.repeat(64);
const KEY_B = 'b'.repeat(64);

const agent = (spkiHash: string, changes: Partial<StoredAgent> = {}): StoredAgent => ({
  spkiHash,
  hostname: 'FS-AGENT-01',
  sourceIp: '10.0.0.5',
  enrolledAt: 1_000,
  lastSeenAt: null,
  agentVersion: null,
  ...changes,
});

const token = (codeHash: string, changes: Partial<StoredEnrollmentToken> = {}): StoredEnrollmentToken => ({
  codeHash,
  createdAt: 1_000,
  expiresAt: 2_000,
  revokedAt: null,
  uses: 0,
  ...changes,
});

/**
 * What every store promises; each implementation's spec runs it.
 * @param open gives a store that is empty at the first call of a test and holds what was written at later ones
 */
export function describeStoreConformance(name: string, open: () => Promise<Store>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await open();
    };

    agentCases(() => store, reopen);
    refusalCases(() => store, reopen);
    addressCases(() => store, reopen);
    tokenCases(() => store, reopen);
    settingsCases(() => store, reopen);
    installationCases(() => store, reopen);
    apiKeyCases(() => store, reopen);
    auditCases(() => store, reopen);
    rejectionCases(() => store, reopen);

    availabilityCases(() => store);
  });
}

function agentCases(store: () => Store, reopen: () => Promise<void>): void {
  describe('agents', () => {
    it('gives back what was put in, also after it was closed', async () => {
      await store().agents.upsert(agent(KEY_A, { hostname: 'Büro-01', agentVersion: '10.0.0' }));
      await reopen();
      expect(await store().agents.get(KEY_A)).toEqual(
        agent(KEY_A, { hostname: 'Büro-01', agentVersion: '10.0.0' }),
      );
      expect(await store().agents.list()).toHaveLength(1);
      expect(await store().agents.get(KEY_B)).toBeUndefined();
    });

    it('refreshes an agent that is known and keeps when it was last seen', async () => {
      await store().agents.upsert(agent(KEY_A));
      await store().agents.touch(new Map([[KEY_A, 5_000]]));
      await store().agents.upsert(agent(KEY_A, { hostname: 'NEW', sourceIp: '10.0.0.9', enrolledAt: 6_000 }));
      expect(await store().agents.list()).toEqual([
        agent(KEY_A, { hostname: 'NEW', sourceIp: '10.0.0.9', enrolledAt: 6_000, lastSeenAt: 5_000 }),
      ]);
    });

    it('never moves the last sight back, and passes over unknown keys', async () => {
      await store().agents.upsert(agent(KEY_A));
      await store().agents.touch(
        new Map([
          [KEY_A, 5_000],
          [KEY_B, 5_000],
        ]),
      );
      await store().agents.touch(new Map([[KEY_A, 4_000]]));
      expect((await store().agents.list()).map((each) => each.lastSeenAt)).toEqual([5_000]);
    });

    it('takes many changes at once, of one agent and of many', async () => {
      const { agents } = store();
      const keys = Array.from({ length: 50 }, (_, index) => index.toString(16).padStart(64, '0'));
      await Promise.all([
        ...keys.map((_, index) => agents.upsert(agent(KEY_A, { hostname: `A-${index}` }))),
        ...keys.map((key) => agents.upsert(agent(key))),
        ...keys.map((_, index) => agents.touch(new Map([[KEY_A, 5_000 + index]]))),
      ]);
      const stored = await agents.list();
      expect(stored.map((each) => each.spkiHash).sort()).toEqual([...keys, KEY_A].sort());
      const deleted = await Promise.all(keys.flatMap((key) => [agents.delete(key), agents.delete(key)]));
      expect(deleted.filter(Boolean)).toHaveLength(50);
      expect(await agents.list()).toHaveLength(1);
    });

    it('keeps the latest of many sights that come at once', async () => {
      const { agents } = store();
      await agents.upsert(agent(KEY_A));
      const times = Array.from({ length: 50 }, (_, index) => 5_000 + ((index * 17) % 50));
      await Promise.all(times.map((at) => agents.touch(new Map([[KEY_A, at]]))));
      expect((await agents.get(KEY_A))?.lastSeenAt).toBe(5_049);
    });

    it('keeps times after 2038 and empty texts', async () => {
      const late = agent(KEY_A, { sourceIp: '', enrolledAt: Date.UTC(2040, 0, 1), agentVersion: '' });
      await store().agents.upsert(late);
      expect(await store().agents.get(KEY_A)).toEqual(late);
    });

    it('deletes once', async () => {
      await store().agents.upsert(agent(KEY_A));
      expect(await store().agents.delete(KEY_A)).toBe(true);
      expect(await store().agents.delete(KEY_A)).toBe(false);
      await reopen();
      expect(await store().agents.list()).toEqual([]);
    });
  });
}

function refusalCases(store: () => Store, reopen: () => Promise<void>): void {
  describe('refused keys', () => {
    it('gives back what was put in, the latest of each key, also after it was closed', async () => {
      const removed = { spkiHash: KEY_A, hostname: 'FS-1', removedAt: 1_000, deniedAt: null };
      await store().refusals.put(removed);
      await store().refusals.put({ ...removed, deniedAt: 2_000 });
      await store().refusals.put({ spkiHash: KEY_B, hostname: '', removedAt: null, deniedAt: 3_000 });
      await reopen();
      expect(await store().refusals.get(KEY_A)).toEqual({ ...removed, deniedAt: 2_000 });
      expect((await store().refusals.list()).map(({ spkiHash }) => spkiHash).sort()).toEqual([KEY_A, KEY_B]);
      const denied = { ...removed, deniedAt: 2_000 };
      expect(await store().refusals.delete(removed)).toBe(false);
      expect(await store().refusals.get(KEY_A)).toEqual(denied);
      expect([await store().refusals.delete(denied), await store().refusals.delete(denied)]).toEqual([
        true,
        false,
      ]);
      expect(await store().refusals.get(KEY_A)).toBeUndefined();
    });
  });
}

function tokenCases(store: () => Store, reopen: () => Promise<void>): void {
  describe('enrollment tokens', () => {
    it('revokes every live token but one, and keeps earlier revocations', async () => {
      const { enrollmentTokens } = store();
      await enrollmentTokens.insert(token('1', { revokedAt: 1_100 }));
      await enrollmentTokens.insert(token('2'));
      await enrollmentTokens.insert(token('3'));
      await enrollmentTokens.revokeOthers('3', 1_500);
      await reopen();
      const revoked = (await store().enrollmentTokens.list()).map((each) => [each.codeHash, each.revokedAt]);
      expect(revoked.sort()).toEqual([
        ['1', 1_100],
        ['2', 1_500],
        ['3', null],
      ]);
    });

    it('lets the later one of two live that were made at once', async () => {
      const { enrollmentTokens } = store();
      await enrollmentTokens.insert(token('earlier', { createdAt: 1_000 }));
      await enrollmentTokens.insert(token('later', { createdAt: 1_001 }));
      await enrollmentTokens.revokeOthers('later', 1_001);
      await enrollmentTokens.revokeOthers('earlier', 1_000);
      expect((await enrollmentTokens.get('earlier'))?.revokedAt).toBe(1_001);
      expect((await enrollmentTokens.get('later'))?.revokedAt).toBeNull();
    });

    it('counts uses that come at once, and never more than there may be', async () => {
      await store().enrollmentTokens.insert(token('any'));
      await store().enrollmentTokens.insert(token('few', { maxUses: 3, name: 'site A' }));
      const use = (codeHash: string): Promise<string[]> =>
        Promise.all(Array.from({ length: 20 }, () => store().enrollmentTokens.tryUse(codeHash, 1_500)));
      expect(await use('any')).toEqual(Array.from({ length: 20 }, () => 'ok'));
      expect((await use('few')).filter((outcome) => outcome === 'ok')).toHaveLength(3);
      await reopen();
      expect(await store().enrollmentTokens.get('any')).toEqual(token('any', { uses: 20 }));
      expect(await store().enrollmentTokens.get('few')).toEqual(
        token('few', { uses: 3, maxUses: 3, name: 'site A' }),
      );
    });

    it('tells why a token cannot be used, and counts nothing then', async () => {
      const { enrollmentTokens } = store();
      await enrollmentTokens.insert(token('old'));
      await enrollmentTokens.insert(token('gone', { revokedAt: 1_200 }));
      await enrollmentTokens.insert(token('full', { uses: 1, maxUses: 1 }));
      expect(await enrollmentTokens.tryUse('old', 1_999)).toBe('ok');
      expect(await enrollmentTokens.tryUse('old', 2_000)).toBe('expired');
      expect(await enrollmentTokens.tryUse('gone', 1_500)).toBe('revoked');
      expect(await enrollmentTokens.tryUse('full', 1_500)).toBe('used-up');
      expect(await enrollmentTokens.tryUse('none', 1_500)).toBe('unknown');
      expect(await enrollmentTokens.get('none')).toBeUndefined();
      expect((await enrollmentTokens.get('old'))?.uses).toBe(1);
    });

    it('revokes one, once', async () => {
      const { enrollmentTokens } = store();
      await enrollmentTokens.insert(token('1'));
      await enrollmentTokens.insert(token('2'));
      expect(await enrollmentTokens.revoke('1', 1_500)).toBe(true);
      expect(await enrollmentTokens.revoke('1', 1_600)).toBe(true);
      expect(await enrollmentTokens.revoke('none', 1_500)).toBe(false);
      expect(await enrollmentTokens.get('1')).toEqual(token('1', { revokedAt: 1_500 }));
      expect(await enrollmentTokens.get('2')).toEqual(token('2'));
    });

    it('purges what expired before a time', async () => {
      await store().enrollmentTokens.insert(token('1', { expiresAt: 1_999 }));
      await store().enrollmentTokens.insert(token('2', { expiresAt: 2_000 }));
      await store().enrollmentTokens.purge(2_000);
      expect((await store().enrollmentTokens.list()).map((each) => each.codeHash)).toEqual(['2']);
    });
  });
}

function settingsCases(store: () => Store, reopen: () => Promise<void>): void {
  describe('settings', () => {
    it('keeps numbers and booleans apart, false and 0 included', async () => {
      await store().settings.set('a', 0);
      await store().settings.set('b', false);
      await store().settings.set('b', true);
      await store().settings.set('c', false);
      await reopen();
      expect([...(await store().settings.list())].sort()).toEqual([
        ['a', 0],
        ['b', true],
        ['c', false],
      ]);
    });

    it('says whether there was an override', async () => {
      await store().settings.set('a', 0);
      expect(await store().settings.delete('a')).toBe(true);
      expect(await store().settings.delete('a')).toBe(false);
    });
  });
}

function installationCases(store: () => Store, reopen: () => Promise<void>): void {
  describe('installation', () => {
    it('sets once, whoever comes first', async () => {
      const given = await Promise.all(
        ['x', 'y', 'z'].map((each) => store().installation.setOnce('id', each)),
      );
      expect(new Set(given).size).toBe(1);
      expect(await store().installation.setOnce('id', 'later')).toBe(given[0]);
      await store().installation.set('id', 'replaced');
      await reopen();
      expect(await store().installation.get('id')).toBe('replaced');
      expect(await store().installation.get('other')).toBeUndefined();
    });

    it('never gives one number twice', async () => {
      const first = await Promise.all(
        Array.from({ length: 20 }, () => store().installation.increment('epoch')),
      );
      await reopen();
      const next = await store().installation.increment('epoch');
      expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(next).toBe(21);
    });
  });
}

function availabilityCases(store: () => Store): void {
  describe('being there', () => {
    it('says that it is, and calls nobody for changes of its own', async () => {
      let calls = 0;
      const unsubscribe = store().changes.subscribe(async () => void (calls += 1));
      await pollUntil('the store', () => store().status().state === 'ok');
      const before = calls;
      await store().settings.set('a', 1);
      await store().agents.upsert(agent(KEY_A));
      await store().agents.touch(new Map([[KEY_A, 5_000]]));
      unsubscribe();
      expect(calls).toBe(before);
    });

    it('closes twice without harm, and is not there any more', async () => {
      await store().close();
      await expect(store().close()).resolves.toBeUndefined();
      expect(store().status()).toEqual({ state: 'failed', reason: 'The store is closed.' });
      const gone = { code: 'STORE_UNAVAILABLE' };
      await expect(store().agents.list()).rejects.toMatchObject(gone);
      await expect(store().agents.upsert(agent(KEY_A))).rejects.toMatchObject(gone);
      await expect(store().settings.set('a', 1)).rejects.toMatchObject(gone);
      await expect(store().enrollmentTokens.get('1')).rejects.toMatchObject(gone);
      await expect(store().installation.get('id')).rejects.toMatchObject(gone);
    });
  });
}

function apiKeyCases(store: () => Store, reopen: () => Promise<void>): void {
  const apiKey = (id: string, changes: Partial<StoredApiKey> = {}): StoredApiKey => ({
    id,
    keyHash: id.repeat(64),
    name: 'monitoring',
    role: 'viewer',
    createdAt: 1_000,
    expiresAt: null,
    lastUsedAt: null,
    ...changes,
  });

  describe('API keys', () => {
    it('gives back what was put in, also after it was closed, and deletes once', async () => {
      await store().apiKeys.insert(apiKey('a', { expiresAt: 5_000 }));
      await store().apiKeys.insert(apiKey('b', { role: 'admin' }));
      await reopen();
      expect(await store().apiKeys.get('a')).toEqual(apiKey('a', { expiresAt: 5_000 }));
      expect(await store().apiKeys.get('c')).toBeUndefined();
      expect(await store().apiKeys.delete('a')).toBe(true);
      expect(await store().apiKeys.delete('a')).toBe(false);
      expect(await store().apiKeys.list()).toEqual([apiKey('b', { role: 'admin' })]);
    });

    it('never moves the last use back, and passes over unknown ids', async () => {
      await store().apiKeys.insert(apiKey('a'));
      await store().apiKeys.touch('a', 5_000);
      await store().apiKeys.touch('a', 4_000);
      await store().apiKeys.touch('c', 5_000);
      expect(await store().apiKeys.list()).toEqual([apiKey('a', { lastUsedAt: 5_000 })]);
    });
  });
}

function auditCases(store: () => Store, reopen: () => Promise<void>): void {
  const entry = (at: number, changes: Partial<StoredAuditEntry> = {}): StoredAuditEntry => ({
    id: String(at).padStart(15, '0'),
    at,
    kind: 'change',
    action: 'setting.set',
    target: 'activitymonitor_batch_size',
    actor: { id: 'bootstrap', name: 'bootstrap' },
    from: '127.0.0.1',
    outcome: 'ok',
    before: null,
    after: { value: 200, nested: [true, null, 'x'] },
    ...changes,
  });
  const times = async (query: Parameters<Store['audit']['list']>[0]): Promise<number[]> =>
    (await store().audit.list(query)).map((each) => each.at);

  describe('audit trail', () => {
    it('gives entries back whole and newest first, also after it was closed', async () => {
      for (const at of [1_000, 3_000, 2_000]) await store().audit.append(entry(at));
      await reopen();
      expect(await store().audit.list({ limit: 2 })).toEqual([entry(3_000), entry(2_000)]);
    });

    it('finds by time, the end excluded, and by action', async () => {
      for (const at of [1_000, 2_000, 3_000]) await store().audit.append(entry(at));
      await store().audit.append(entry(2_500, { action: 'agent.remove' }));
      expect(await times({ from: 2_000, to: 3_000, limit: 10 })).toEqual([2_500, 2_000]);
      expect(await times({ action: 'setting.set', limit: 2 })).toEqual([3_000, 2_000]);
      expect(await times({ action: 'agent.remove', limit: 10 })).toEqual([2_500]);
      expect(await times({ action: 'none', limit: 10 })).toEqual([]);
    });

    it('keeps the newest of each kind', async () => {
      for (const at of [1_000, 2_000, 3_000]) await store().audit.append(entry(at));
      for (const at of [1_500, 2_500]) await store().audit.append(entry(at, { kind: 'enrollment' }));
      await store().audit.trim('change', 1);
      await store().audit.trim('enrollment', 5);
      expect(await times({ limit: 10 })).toEqual([3_000, 2_500, 1_500]);
    });
  });
}
