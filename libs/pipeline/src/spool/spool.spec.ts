import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '../testing/index.js';
import { createSpoolRig, spoolEntry, type SpoolRig } from '../testing/spool-rig.js';
import type { FrozenBatch, Spool } from './index.js';

let rig: SpoolRig;
beforeEach(() => {
  rig = createSpoolRig();
});
afterEach(() => rig.dispose());

const id = (sequence: number, epoch = 1): string =>
  `gw/${String(epoch).padStart(6, '0')}/${String(sequence).padStart(12, '0')}`;

async function fill(spool: Spool, from: number, count: number, epoch = 1): Promise<void> {
  const durable = [];
  for (let n = from; n < from + count; n += 1) {
    durable.push(spool.append([spoolEntry(id(n, epoch), `text ${n}`)], { n }).durable);
  }
  await Promise.all(durable);
}

const freeze = (spool: Spool, rows: number): Promise<FrozenBatch | undefined> =>
  spool.freeze(spool.lane('main', 'table'), rows, 2 ** 20);

const texts = (batch: FrozenBatch | undefined): string[] =>
  (batch?.entries ?? []).map(({ bytes }) => Buffer.from(bytes).toString());

describe('a spool', () => {
  it('holds after it was closed and opened what it has called durable, in order', async () => {
    const first = await rig.open();
    await fill(first, 1, 5);
    await first.close();
    const second = await rig.open();
    expect(second.entries).toBe(5);
    expect(second.lane('main', 'table')).toMatchObject({ entries: 5, rows: 5, next: 5 });
    await fill(second, 6, 2, 1);
    const batch = await freeze(second, 100);
    expect(texts(batch)).toEqual([1, 2, 3, 4, 5, 6, 7].map((n) => `text ${n}`));
    expect(batch!.record.token).toBe('gw/000001/table/000000000001-000000000007');
  });

  it('forgets a batch with its entries when it is committed, and tells what was written', async () => {
    const spool = await rig.open();
    await fill(spool, 1, 3);
    const batch = (await freeze(spool, 2))!;
    await spool.commit(batch);
    expect(rig.ended.map(({ note, how }) => [note, how])).toEqual([
      [{ n: 1 }, 'written'],
      [{ n: 2 }, 'written'],
    ]);
    await spool.close();
    const again = await rig.open();
    expect(again.entries).toBe(1);
    expect(texts(await freeze(again, 100))).toEqual(['text 3']);
  });

  it('gives a batch that was frozen before a crash again as it was, before anything newer', async () => {
    const spool = await rig.open();
    await fill(spool, 1, 10);
    const frozen = [(await freeze(spool, 3))!, (await freeze(spool, 3))!];
    await spool.close();
    const again = await rig.open();
    await fill(again, 11, 5, 2);
    // Other limits now: what was frozen stays as it was.
    const recovered = [(await freeze(again, 1))!, (await freeze(again, 1))!];
    expect(recovered.map(({ record }) => record)).toEqual(frozen.map(({ record }) => record));
    expect(recovered.map(texts)).toEqual(frozen.map(texts));
    expect(texts(await freeze(again, 100))).toEqual(['text 7', 'text 8', 'text 9', 'text 10']);
  });

  it('never mixes epochs in a batch', async () => {
    const spool = await rig.open();
    await fill(spool, 1, 2, 1);
    await fill(spool, 1, 2, 2);
    const batches = [await freeze(spool, 100), await freeze(spool, 100)];
    expect(batches.map((batch) => batch?.record.token)).toEqual([
      'gw/000001/table/000000000001-000000000002',
      'gw/000002/table/000000000001-000000000002',
    ]);
    expect(await freeze(spool, 100)).toBeUndefined();
  });

  it('keeps sinks and destinations apart', async () => {
    const spool = await rig.open();
    await spool.append([spoolEntry(id(1), 'a', { sink: 'one' })], undefined).durable;
    await spool.append([spoolEntry(id(2), 'b', { sink: 'two' })], undefined).durable;
    await spool.append([spoolEntry(id(3), 'c', { sink: 'two', destination: 'other' })], undefined).durable;
    expect(texts(await spool.freeze(spool.lane('two', 'table'), 100, 1_000))).toEqual(['b']);
    expect(texts(await spool.freeze(spool.lane('two', 'other'), 100, 1_000))).toEqual(['c']);
    expect(await spool.freeze(spool.lane('two', 'table'), 100, 1_000)).toBeUndefined();
    expect(texts(await spool.freeze(spool.lane('one', 'table'), 100, 1_000))).toEqual(['a']);
  });

  it('tells once that events are written which went to two sinks, over a restart too', async () => {
    const group = (n: number) => [
      spoolEntry(id(2 * n), 'x', { sink: 'one' }),
      spoolEntry(id(2 * n + 1), 'y', { sink: 'two' }),
    ];
    const spool = await rig.open();
    for (let n = 1; n <= 3; n += 1) await spool.append(group(n), { n }).durable;
    const write = async (from: Spool, sink: string): Promise<void> =>
      from.commit((await from.freeze(from.lane(sink, 'table'), 1, 1_000))!);
    await write(spool, 'one');
    expect(rig.ended).toEqual([]);
    await Promise.all([write(spool, 'two'), write(spool, 'one')]);
    expect(rig.ended.map(({ note }) => note)).toEqual([{ n: 1 }]);
    await spool.close();
    const again = await rig.open();
    await Promise.all([write(again, 'two'), write(again, 'one'), write(again, 'two')]);
    expect(rig.ended.map(({ note }) => note)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });
});

describe('a full spool', () => {
  it('takes nothing more than its limit, and goes on when there is room', async () => {
    const spool = await rig.open({ limits: { maxBytes: 5_000, diskReserveBytes: 0 } });
    await fill(spool, 1, 9);
    let durable = false;
    const late = spool.append([spoolEntry(id(10), 'late')], undefined).durable.then(() => (durable = true));
    await until(() => spool.full);
    expect(spool.problems).toEqual([expect.stringContaining('The spool is full')]);
    expect([durable, spool.entries]).toEqual([false, 9]);
    await spool.commit((await freeze(spool, 4))!);
    await late;
    await until(() => !spool.full);
    expect(spool.problems).toEqual([]);
    expect(spool.entries).toBe(6);
  });

  it('takes what comes in the place of a batch, in one transaction, also before what waits', async () => {
    const spool = await rig.open({ limits: { maxBytes: 5_000, diskReserveBytes: 0 } });
    await fill(spool, 1, 9);
    void spool.append([spoolEntry(id(10), 'late'), spoolEntry(id(11), 'late too')], undefined);
    await until(() => spool.full);
    const letter = spoolEntry(id(12), 'x'.repeat(4_000), { destination: 'letters' });
    await spool.commit((await freeze(spool, 2))!, false, [letter]);
    expect(spool.lane('main', 'letters')).toMatchObject({ entries: 1, rows: 1 });
    await spool.close();
    const again = await rig.open();
    expect([again.entries, again.lane('main', 'table').rows]).toEqual([8, 7]);
    const batch = await again.freeze(again.lane('main', 'letters'), 10, 10_000);
    expect(batch?.entries.map(({ id: one, bytes }) => [one, bytes.length])).toEqual([[id(12), 4_000]]);
  });

  it('takes one entry above the whole limit when it is empty', async () => {
    const spool = await rig.open({ limits: { maxBytes: 100, diskReserveBytes: 0 } });
    await fill(spool, 1, 1);
    expect(spool.entries).toBe(1);
  });

  it('takes nothing while the disk has no more than its reserve, and says so', async () => {
    const spool = await rig.open({ limits: { maxBytes: 2 ** 30, diskReserveBytes: 2 ** 60 } });
    void spool.append([spoolEntry(id(1), 'never')], undefined).durable;
    await until(() => spool.full);
    expect(spool.problems).toEqual([expect.stringContaining('are kept in reserve')]);
    await spool.close();
    expect((await rig.open()).entries).toBe(0);
  });
});
