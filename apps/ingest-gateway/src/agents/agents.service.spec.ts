import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AllowlistEntry } from '@activity-gateway/activity';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import { createEmbeddedStore, type Store } from '../store/index.js';
import { AgentsService } from './agents.service.js';

const KEY_A = 'a'.repeat(64);
const KEY_B = 'b'.repeat(64);

describe('AgentsService', () => {
  let dir: string;
  let store: Store;
  let agents: AgentsService;
  let now: number;
  const load = (): Promise<AgentsService> => AgentsService.load(store, createRecordingLogger(), () => now);

  beforeEach(async () => {
    now = 1_000;
    dir = await mkdtemp(join(tmpdir(), 'agents-'));
    store = await createEmbeddedStore(dir);
    agents = await load();
  });
  afterEach(async () => {
    await agents.stop();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('tells subscribers of an agent before the call that added it resolves', async () => {
    const told: (readonly AllowlistEntry[])[] = [];
    agents.allowlist.subscribe((entries) => told.push(entries));
    await agents.add(KEY_A, 'FS-1');
    expect(told).toEqual([[{ spkiHash: KEY_A, hostname: 'FS-1' }]]);
    await agents.remove(KEY_A);
    expect(told[1]).toEqual([]);
  });

  it('starts with what is stored', async () => {
    await agents.add(KEY_A, 'FS-1');
    expect((await load()).allowlist.current).toEqual([{ spkiHash: KEY_A, hostname: 'FS-1' }]);
  });

  it('goes on with the totals of its agents, and has none of those that are gone', async () => {
    const certificate = { subject: 'CN=FS-1', notAfter: 5_000 };
    for (const key of [KEY_A, KEY_B]) {
      await agents.add(key, 'FS-1');
      agents.seen([key], now, { [key]: { events: 3, bytes: 300, certificate } });
    }
    agents.seen([KEY_A], now, { [KEY_A]: { events: 1, bytes: 50 } });
    await agents.stop();
    await store.agents.delete(KEY_B);
    agents = await load();
    await agents.reload();
    expect(agents.traffic(KEY_A)).toEqual({ events: 4, bytes: 350, certificate });
    expect(agents.traffic(KEY_B)).toMatchObject({ events: 0 });
    agents.seen([KEY_A], now, { [KEY_A]: { events: 1, bytes: 50 } });
    expect(agents.traffic(KEY_A)).toMatchObject({ events: 5, bytes: 400 });
    await agents.remove(KEY_A);
    await agents.stop();
    agents = await load();
    expect(agents.traffic(KEY_A)).toMatchObject({ events: 0 });
  });

  it('starts without totals that cannot be read', async () => {
    await store.installation.set('agent_totals', '{"half');
    expect((await load()).traffic(KEY_A)).toMatchObject({ events: 0 });
  });

  it('loses none of many changes that come at once', async () => {
    const keys = Array.from({ length: 30 }, (_, index) => index.toString(16).padStart(64, '0'));
    await Promise.all(keys.map((key) => agents.add(key, `FS-${key.slice(-2)}`)));
    await Promise.all(keys.slice(10).map((key) => agents.remove(key)));
    expect(agents.allowlist.current.map((entry) => entry.spkiHash).sort()).toEqual(keys.slice(0, 10));
    expect((await agents.list()).map((agent) => agent.spkiHash).sort()).toEqual(keys.slice(0, 10));
  });

  it('renames an agent that is known and keeps what is known of it', async () => {
    await agents.enrolled(
      {
        spkiHash: KEY_A,
        hostname: 'OLD',
        sourceIp: '10.0.0.5',
        enrolledAt: 500,
        lastSeenAt: 700,
        agentVersion: '10.0.0',
      },
      () => undefined,
    );
    await agents.add(KEY_A.toUpperCase(), 'NEW');
    expect(await agents.list()).toEqual([
      {
        spkiHash: KEY_A,
        hostname: 'NEW',
        sourceIp: '10.0.0.5',
        enrolledAt: 500,
        lastSeenAt: 700,
        agentVersion: '10.0.0',
      },
    ]);
    expect(agents.allowlist.current).toHaveLength(1);
  });

  it.each([
    ['not a hash', 'FS-1', 'SPKI_HASH_INVALID'],
    [KEY_A.slice(1), 'FS-1', 'SPKI_HASH_INVALID'],
    [KEY_A, '', 'HOSTNAME_INVALID'],
    [KEY_A, 'a b', 'HOSTNAME_INVALID'],
    [KEY_A, 'a\u0000', 'HOSTNAME_INVALID'],
    [KEY_A, 'a'.repeat(256), 'HOSTNAME_INVALID'],
  ])('refuses the agent %j %j', async (key, hostname, code) => {
    await expect(agents.add(key, hostname)).rejects.toMatchObject({ code });
    expect(await agents.list()).toEqual([]);
  });

  it('tells an unknown agent from no hash at all when one is removed', async () => {
    await expect(agents.remove(KEY_A)).rejects.toMatchObject({ code: 'AGENT_UNKNOWN' });
    await expect(agents.remove('x')).rejects.toMatchObject({ code: 'SPKI_HASH_INVALID' });
  });

  it('shows when agents were seen at once, and stores it soon after', async () => {
    await agents.add(KEY_A, 'FS-1');
    agents.seen([KEY_A, KEY_B], 5_000);
    agents.seen([KEY_A], 4_000);
    expect((await agents.list()).map((agent) => agent.lastSeenAt)).toEqual([5_000]);
    await pollUntil(
      'the sight to be stored',
      async () => (await store.agents.get(KEY_A))?.lastSeenAt,
      (at) => at === 5_000,
    );
  });

  it('stores what is held back when it stops', async () => {
    await agents.add(KEY_A, 'FS-1');
    agents.seen([KEY_A], 5_000);
    await agents.stop();
    expect((await store.agents.get(KEY_A))?.lastSeenAt).toBe(5_000);
  });
});
