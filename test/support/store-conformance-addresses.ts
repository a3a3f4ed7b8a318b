import { describe, expect, it } from '@jest/globals';
import type { Store } from '../../apps/ingest-gateway/src/store/repositories.js';

/** What every store promises of the addresses of agents; a part of `describeStoreConformance`. */
export function addressCases(store: () => Store, reopen: () => Promise<void>): void {
  describe('knownAddresses', () => {
    const listed = async (): Promise<[string, number][]> =>
      (await store().knownAddresses.list())
        .map(({ address, at }): [string, number] => [address, at])
        .sort(([a], [b]) => (a < b ? -1 : 1));

    it('keeps the latest time of each, over a restart', async () => {
      await store().knownAddresses.note(
        new Map([
          ['10.0.0.5', 1_000],
          ['2001:db8::/64', 2_000],
        ]),
      );
      await store().knownAddresses.note(
        new Map([
          ['10.0.0.5', 3_000],
          ['2001:db8::/64', 1_500],
        ]),
      );
      await store().knownAddresses.note(new Map());
      await reopen();
      expect(await listed()).toEqual([
        ['10.0.0.5', 3_000],
        ['2001:db8::/64', 2_000],
      ]);
    });

    it('removes old ones, and all but the newest so many', async () => {
      await store().knownAddresses.note(
        new Map(['a', 'b', 'c', 'd'].map((address, i) => [address, i * 1_000])),
      );
      await store().knownAddresses.trim(1_000, 2);
      expect(await listed()).toEqual([
        ['c', 2_000],
        ['d', 3_000],
      ]);
    });
  });
}
