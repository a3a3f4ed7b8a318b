import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { createEmbeddedStore, type Store } from '../store/index.js';
import { AuditService, KEPT_ENTRIES } from './index.js';

const ACTOR = { id: 'k1', name: 'ops', from: '10.0.0.5' };

describe('AuditService', () => {
  let dir: string;
  let store: Store;
  let logger: RecordingLogger;
  let audit: AuditService;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'audit-'));
    store = await createEmbeddedStore(dir);
    logger = createRecordingLogger();
    audit = new AuditService(store, { ...logger, child: () => logger }, () => 1_000);
  });
  afterEach(async () => {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('records a change with who, what, old, new, when, from where and how it ended', async () => {
    const result = await audit.change(ACTOR, 'setting.set', 'batch', async (note) => {
      note.before = 1;
      note.after = 2;
      return 'done';
    });
    expect(result).toBe('done');
    const [entry] = await audit.list({ limit: 10 });
    expect(entry).toEqual({
      id: expect.stringMatching(/^000000000001000-000001-[0-9a-f]{6}$/),
      at: 1_000,
      kind: 'change',
      action: 'setting.set',
      target: 'batch',
      actor: { id: 'k1', name: 'ops' },
      from: '10.0.0.5',
      outcome: 'ok',
      before: 1,
      after: 2,
    });
    expect(logger.lines).toEqual([
      {
        level: 'info',
        message: 'Change made',
        fields: {
          action: 'setting.set',
          target: 'batch',
          actor: { id: 'k1', name: 'ops' },
          sourceIp: '10.0.0.5',
          before: 1,
          after: 2,
        },
      },
    ]);
  });

  const reject = (
    from: string,
    kind: 'change' | 'enrollment' | 'ban' = 'enrollment',
    id = from,
  ): Promise<void> =>
    audit.record({
      kind,
      action: 'agent.enroll',
      target: id,
      actor: { id, name: '', from },
      outcome: 'unknown',
    });

  it('counts what is rejected by address and cause, and pushes out nothing that was done', async () => {
    await audit.record({
      kind: 'enrollment',
      action: 'agent.enroll',
      target: 't',
      actor: ACTOR,
      outcome: 'ok',
    });
    for (let i = 0; i < 12_000; i += 1) await reject(`10.0.0.${i % 3}`, 'enrollment', `key ${i}`);
    expect(await audit.list({ limit: 10 })).toMatchObject([{ outcome: 'ok' }]);
    const rejected = await audit.listRejections({ limit: 10 });
    expect(rejected.map(({ from, count, target }) => [from, count, target]).sort()).toEqual([
      ['10.0.0.0', 4_000, 'key 11997'],
      ['10.0.0.1', 4_000, 'key 11998'],
      ['10.0.0.2', 4_000, 'key 11999'],
    ]);
    await audit.onModuleDestroy();
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toMatchObject({
      message: 'Rejected; repetitions are counted for a minute',
      fields: { action: 'agent.enroll', reason: 'unknown', sourceIp: '10.0.0.0', actor: { id: 'key 0' } },
    });
    expect(warnings[3]).toMatchObject({
      message: 'Rejected again',
      fields: { count: 11_997, otherAddresses: 0, addresses: Array(3).fill({ count: 3_999 }) },
    });
  });

  it('tells callers of the API apart, who have proved who they are', async () => {
    for (const id of ['k1', 'k2', 'k1']) await reject('10.0.0.1', 'change', id);
    const counts = (await audit.listRejections({ limit: 10 })).map(({ actor, count }) => [actor.id, count]);
    expect(counts.sort()).toEqual([
      ['k1', 2],
      ['k2', 1],
    ]);
  });

  it('bounds what it remembers, stores and logs of many addresses, and loses no count', async () => {
    for (let i = 0; i < 3_000; i += 1) await reject(`10.1.${i >> 8}.${i & 255}`);
    const all = await audit.listRejections({ limit: 10_000 });
    expect(all).toHaveLength(1_001);
    expect(all.find(({ from }) => from === '')?.count).toBe(2_000);
    await audit.onModuleDestroy();
    expect(logger.lines).toHaveLength(21);
    expect(logger.lines[20]?.fields).toMatchObject({ count: 2_980, otherAddresses: 971 });
  });

  it('leaves the log line of a ban to the listener', async () => {
    for (let i = 0; i < 3; i += 1) await reject('10.0.0.1', 'ban');
    await audit.onModuleDestroy();
    expect(logger.lines).toEqual([]);
    expect(await audit.listRejections({ limit: 10 })).toMatchObject([{ count: 3 }]);
  });

  it('records what failed, under its code, and passes the error on', async () => {
    const fail = (error: Error): Promise<unknown> =>
      audit.change(ACTOR, 'setting.set', 'x'.repeat(1_000), async (note) => {
        note.after = 2;
        throw error;
      });
    await expect(fail(new GatewayError('SETTING_INVALID', 'no'))).rejects.toThrow('no');
    await expect(fail(new Error('secret'))).rejects.toThrow('secret');
    const entries = await audit.listRejections({ limit: 10 });
    expect(entries.map((entry) => [entry.outcome, entry.after, entry.target.length]).sort()).toEqual([
      ['INTERNAL_SERVER_ERROR', null, 200],
      ['SETTING_INVALID', null, 200],
    ]);
    expect(await audit.list({ limit: 10 })).toEqual([]);
  });

  it('logs what cannot be stored, and lets the change stand', async () => {
    await store.close();
    expect(await audit.change(ACTOR, 'setting.set', 'batch', async () => 7)).toBe(7);
    expect(logger.lines.slice(1)).toMatchObject([
      { level: 'error', fields: { audit: { action: 'setting.set' } } },
    ]);
  });

  it('keeps a bounded number of entries', async () => {
    const kept: number[] = [];
    const counting = new AuditService(
      {
        audit: {
          ...store.audit,
          append: async () => undefined,
          trim: async (_, keep) => void kept.push(keep),
        },
      },
      logger,
    );
    const event = { kind: 'change', action: 'a', target: 't', actor: ACTOR, outcome: 'ok' } as const;
    for (let i = 0; i < 501; i += 1) await counting.record(event);
    expect(kept).toEqual([KEPT_ENTRIES, KEPT_ENTRIES, KEPT_ENTRIES]);
  });
});
