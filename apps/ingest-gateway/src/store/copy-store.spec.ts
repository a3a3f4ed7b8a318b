import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyStore, type CopiedTable } from './copy-store.js';
import { createEmbeddedStore } from './embedded/embedded-store.js';
import type { Store, StoredAgent, StoredAuditEntry } from './repositories.js';

const KEY_A = 'a'.repeat(64);
const KEY_B = 'b'.repeat(64);

const agent = (spkiHash: string, changes: Partial<StoredAgent> = {}): StoredAgent => ({
  spkiHash,
  hostname: 'FS-1',
  sourceIp: '10.0.0.5',
  enrolledAt: 1_000,
  lastSeenAt: 2_000,
  agentVersion: '10.0.0',
  ...changes,
});

const entry = (id: string): StoredAuditEntry => ({
  id,
  at: 1,
  kind: 'change',
  action: 'setting.set',
  target: 'a',
  actor: { id: 'bootstrap', name: 'bootstrap' },
  from: '127.0.0.1',
  outcome: 'ok',
  before: null,
  after: { value: 0 },
});

const rejection = {
  id: 'rejected-1',
  at: 9,
  firstAt: 3,
  count: 7,
  action: 'request',
  target: 'GET /api/v1/status',
  actor: { id: '', name: '' },
  from: '10.0.0.9',
  outcome: 'UNAUTHORIZED',
  before: null,
  after: null,
};

describe('copyStore', () => {
  let dir: string;
  let from: Store;
  let to: Store;
  const copy = (overwrite = false): Promise<CopiedTable[]> => copyStore(from, to, { overwrite });
  const numbers = (report: CopiedTable[]): number[][] =>
    report.map(({ copied, unchanged }) => [copied, unchanged]);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'copy-'));
    from = await createEmbeddedStore(join(dir, 'from'));
    to = await createEmbeddedStore(join(dir, 'to'));
    await from.agents.upsert(agent(KEY_A));
    await from.agents.upsert(agent(KEY_B, { lastSeenAt: null }));
    await from.refusals.put({ spkiHash: KEY_A, hostname: '', removedAt: 1, deniedAt: null });
    const token = { codeHash: 'c', createdAt: 1, expiresAt: 2, revokedAt: null, uses: 3 };
    await from.enrollmentTokens.insert(token);
    await from.settings.set('a', 0);
    await from.settings.set('b', false);
    await from.apiKeys.insert({
      id: 'k',
      keyHash: 'h',
      name: 'monitoring',
      role: 'viewer',
      createdAt: 1,
      expiresAt: null,
      lastUsedAt: 5,
    });
    await from.audit.append(entry('1'));
    await from.audit.addRejection(rejection);
    await from.installation.set('gateway_id', 'here');
  });
  afterEach(async () => {
    await from.close();
    await to.close();
    await rm(dir, { recursive: true, force: true });
  });
  const contents = async (store: Store): Promise<unknown[]> => [
    (await store.agents.list()).sort((x, y) => x.spkiHash.localeCompare(y.spkiHash)),
    await store.refusals.list(),
    await store.enrollmentTokens.list(),
    new Map([...(await store.settings.list())].sort()),
    await store.apiKeys.list(),
    await store.audit.list({ limit: 10 }),
    await store.audit.listRejections({ limit: 10 }),
  ];

  it('copies everything but what belongs to the one gateway, and counts it', async () => {
    const report = await copy();
    expect(report).toEqual([
      { name: 'agents', copied: 2, unchanged: 0 },
      { name: 'refused keys', copied: 1, unchanged: 0 },
      { name: 'enrollment tokens', copied: 1, unchanged: 0 },
      { name: 'settings', copied: 2, unchanged: 0 },
      { name: 'API keys', copied: 1, unchanged: 0 },
      { name: 'audit entries', copied: 1, unchanged: 0 },
      { name: 'rejected attempts', copied: 1, unchanged: 0 },
    ]);
    expect(await contents(to)).toEqual(await contents(from));
    expect(await to.installation.get('gateway_id')).toBeUndefined();
  });

  it('changes nothing when it is done again, and goes on where it was broken off', async () => {
    await copy();
    expect(numbers(await copy())).toEqual([
      [0, 2],
      [0, 1],
      [0, 1],
      [0, 2],
      [0, 1],
      [0, 1],
      [0, 1],
    ]);
    await to.agents.delete(KEY_A);
    await to.settings.delete('b');
    await to.audit.putRejection({ ...rejection, count: 1 });
    expect(numbers(await copy())).toEqual([
      [1, 1],
      [0, 1],
      [0, 1],
      [1, 1],
      [0, 1],
      [0, 1],
      [1, 0],
    ]);
    expect(await contents(to)).toEqual(await contents(from));
  });

  it('puts audit trails together', async () => {
    await to.audit.append(entry('2'));
    await copy();
    expect((await to.audit.list({ limit: 10 })).map(({ id }) => id)).toEqual(['2', '1']);
  });

  it('writes nothing to a target that holds something else, and says what', async () => {
    await to.agents.upsert(agent('d'.repeat(64)));
    await to.settings.set('a', 7);
    await expect(copy()).rejects.toMatchObject({
      code: 'STORE_NOT_EMPTY',
      message: expect.stringContaining('1 agents, 1 settings'),
    });
    expect(await to.agents.list()).toHaveLength(1);
    expect(await to.enrollmentTokens.list()).toEqual([]);
  });

  it('overwrites when it is told to: same keys are replaced, others kept, later sights too', async () => {
    await to.agents.upsert(agent(KEY_A, { hostname: 'OTHER', lastSeenAt: 9_000 }));
    await to.agents.upsert(agent('d'.repeat(64)));
    await to.settings.set('a', 7);
    const report = await copy(true);
    expect(numbers(report)[0]).toEqual([2, 0]);
    expect(await to.agents.get(KEY_A)).toEqual(agent(KEY_A, { lastSeenAt: 9_000 }));
    expect(await to.agents.list()).toHaveLength(3);
    expect((await to.settings.list()).get('a')).toBe(0);
  });

  it('does not say that all is there when it is not', async () => {
    const forgetful: Store = {
      ...to,
      settings: { ...to.settings, list: async () => new Map(), set: async () => {} },
    };
    to = forgetful;
    await expect(copy()).rejects.toMatchObject({ code: 'STORE_COPY_INCOMPLETE' });
  });
});
