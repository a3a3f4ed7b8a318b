import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '@app/pipeline/api';
import { createRecordingLogger, type RecordingLogger } from '@app/pipeline/testing';
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
    audit = new AuditService(store.audit, logger, () => 1_000);
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
  });

  it('records what failed, under its code, and passes the error on', async () => {
    const fail = (error: Error): Promise<unknown> =>
      audit.change(ACTOR, 'setting.set', 'x'.repeat(1_000), async (note) => {
        note.after = 2;
        throw error;
      });
    await expect(fail(new GatewayError('SETTING_INVALID', 'no'))).rejects.toThrow('no');
    await expect(fail(new Error('secret'))).rejects.toThrow('secret');
    const entries = await audit.list({ limit: 10 });
    expect(entries.map((entry) => [entry.outcome, entry.after, entry.target.length])).toEqual([
      ['INTERNAL_SERVER_ERROR', null, 200],
      ['SETTING_INVALID', null, 200],
    ]);
  });

  it('logs what cannot be stored, and lets the change stand', async () => {
    await store.close();
    expect(await audit.change(ACTOR, 'setting.set', 'batch', async () => 7)).toBe(7);
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { audit: { action: 'setting.set' } } }]);
  });

  it('keeps a bounded number of entries', async () => {
    const kept: number[] = [];
    const counting = new AuditService(
      { ...store.audit, append: async () => undefined, trim: async (_, keep) => void kept.push(keep) },
      logger,
    );
    const event = { kind: 'change', action: 'a', target: 't', actor: ACTOR, outcome: 'ok' } as const;
    for (let i = 0; i < 501; i += 1) await counting.record(event);
    expect(kept).toEqual([KEPT_ENTRIES, KEPT_ENTRIES, KEPT_ENTRIES]);
  });
});
