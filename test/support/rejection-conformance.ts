import { describe, expect, it } from '@jest/globals';
import type { AuditQuery, Store, StoredRejection } from '../../apps/ingest-gateway/src/store/index.js';

const REJECTION = {
  count: 1,
  action: 'setting.set',
  target: 'activitymonitor_batch_size',
  actor: { id: 'bootstrap', name: 'bootstrap' },
  from: '127.0.0.1',
  outcome: 'SETTING_INVALID',
  before: { nested: [true, null, 'x'] },
  after: null,
};

/** What every store does with the counts of what was rejected. */
export function rejectionCases(store: () => Store, reopen: () => Promise<void>): void {
  const rejection = (id: string, at: number, changes: Partial<StoredRejection> = {}): StoredRejection => {
    return { ...REJECTION, id, at, firstAt: at, ...changes };
  };

  describe('rejections', () => {
    it('are counted by their id, with the first and the latest time, also after the store was closed', async () => {
      await store().audit.addRejection(rejection('a', 2_000, { target: 'first' }));
      await store().audit.addRejection(rejection('b', 1_000));
      await store().audit.addRejection(rejection('a', 5_000, { firstAt: 3_000, count: 7, target: 'latest' }));
      await reopen();
      expect(await store().audit.listRejections({ limit: 10 })).toEqual([
        rejection('a', 5_000, { firstAt: 2_000, count: 8, target: 'latest' }),
        rejection('b', 1_000),
      ]);
    });

    it('add up when many come at once', async () => {
      const adds = Array.from({ length: 20 }, (_, at) => store().audit.addRejection(rejection('a', at)));
      await Promise.all(adds);
      expect(await store().audit.listRejections({ limit: 10 })).toMatchObject([{ count: 20, firstAt: 0 }]);
    });

    it('are listed by time and action, kept by their latest time, and put in the place of others', async () => {
      for (const at of [1, 3, 2]) await store().audit.addRejection(rejection(String(at), at));
      await store().audit.putRejection(rejection('1', 4, { action: 'request', count: 9 }));
      const ids = async (query: AuditQuery): Promise<string[]> =>
        (await store().audit.listRejections(query)).map(({ id }) => id);
      expect(await ids({ limit: 2 })).toEqual(['1', '3']);
      expect(await ids({ limit: 9, from: 2, to: 4 })).toEqual(['3', '2']);
      expect(await ids({ limit: 9, action: 'request' })).toEqual(['1']);
      await store().audit.trimRejections(2);
      await store().audit.trimRejections(5);
      expect(await ids({ limit: 9 })).toEqual(['1', '3']);
      expect(await store().audit.list({ limit: 9 })).toEqual([]);
    });
  });
}
