import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSpoolRig, spoolEntry, type SpoolRig } from '../testing/spool-rig.js';
import type { FrozenBatch, Spool } from './index.js';

const MIB = 2 ** 20;
/** Seven batches of sixteen MiB: more than may stay mapped. */
const ENTRIES = 112;
const EACH = MIB;
const BATCH = 16;

let rig: SpoolRig;
beforeEach(() => {
  rig = createSpoolRig();
});
afterEach(() => rig.dispose());

const id = (n: number): string => `gw/000001/${String(n).padStart(12, '0')}`;

async function fill(spool: Spool): Promise<void> {
  for (let n = 0; n < ENTRIES; n += 1) {
    await spool.append([spoolEntry(id(n), String(n).padEnd(EACH, '.'))], { n }).durable;
  }
}

const freeze = (spool: Spool): Promise<FrozenBatch | undefined> =>
  spool.freeze(spool.lane('main', 'table'), BATCH, BATCH * EACH);

/** Resident pages of the spool's file, bytes, as the system counts them. */
function residentBytes(directory: string): number {
  let ours = false;
  let kib = 0;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) ours = line.includes(directory);
    else if (ours && line.startsWith('Rss:')) kib += Number(line.split(/\s+/)[1]);
  }
  return kib * 1024;
}

const onLinux = existsSync('/proc/self/smaps') ? it : it.skip;

describe('the pages of a spool that were read', () => {
  onLinux(
    'do not stay in memory, and everything is read in order all the same',
    async () => {
      const spool = await rig.open();
      await fill(spool);
      const read: string[] = [];
      let most = 0;
      for (let batch = await freeze(spool); batch !== undefined; batch = await freeze(spool)) {
        read.push(...batch.entries.map(({ bytes }) => Buffer.from(bytes).toString().replaceAll('.', '')));
        most = Math.max(most, residentBytes(rig.directory));
        await spool.commit(batch);
      }
      expect(read).toEqual(Array.from({ length: ENTRIES }, (_, n) => String(n)));
      // What is mapped does show: the figure below is not zero for want of looking.
      expect(most).toBeGreaterThan(32 * MIB);
      expect(residentBytes(rig.directory)).toBeLessThan(64 * MIB);
      expect(spool.entries).toBe(0);
      expect(rig.ended).toHaveLength(ENTRIES);
    },
    60_000,
  );

  it('are let go of while agents send: what is appended meanwhile is durable, and there after a restart', async () => {
    const spool = await rig.open();
    await fill(spool);
    const appended: Promise<void>[] = [];
    for (let n = 0; n < 5; n += 1) {
      const batch = (await freeze(spool))!;
      appended.push(spool.append([spoolEntry(id(1_000 + n), 'late')], undefined).durable);
      await spool.commit(batch);
    }
    await Promise.all(appended);
    await spool.close();
    const again = await rig.open();
    expect(again.entries).toBe(ENTRIES - 5 * BATCH + 5);
    expect(rig.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 60_000);
});
