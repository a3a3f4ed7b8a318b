import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSpoolRig, spoolEntry, type SpoolRig } from '../testing/spool-rig.js';
import { openRoot, openTables, type SpoolDatabase } from './database.js';
import type { Spool } from './index.js';

let rig: SpoolRig;
beforeEach(() => {
  rig = createSpoolRig();
});
afterEach(() => rig.dispose());

async function fill(spool: Spool, count: number): Promise<void> {
  const durable = [];
  for (let n = 1; n <= count; n += 1) {
    const entry = spoolEntry(`gw/000001/${String(n).padStart(12, '0')}`, `text ${n}`);
    durable.push(spool.append([entry], { n }).durable);
  }
  await Promise.all(durable);
}

/** Changes the file behind the spool's back. */
async function tamper(change: (database: SpoolDatabase) => void): Promise<void> {
  const database = openTables(openRoot({ directory: rig.directory, mapBytes: 2 ** 30 }));
  database.root.transactionSync(() => change(database));
  await database.root.close();
}

const key = (ordinal: number): never => ['main', 'table', ordinal] as never;

async function writeAll(spool: Spool): Promise<string[]> {
  const written: string[] = [];
  const lane = spool.lane('main', 'table');
  for (;;) {
    const batch = await spool.freeze(lane, 3, 1_000);
    if (batch === undefined) return written;
    written.push(...batch.entries.map(({ bytes }) => Buffer.from(bytes).toString()));
    await spool.commit(batch);
  }
}

describe('damage', () => {
  it('of bytes sets the entry aside, and lets the others pass', async () => {
    const spool = await rig.open();
    await fill(spool, 5);
    await spool.close();
    await tamper(({ tables }) => void tables.entries.put(key(1), Buffer.from('text X')));
    const again = await rig.open();
    expect(await writeAll(again)).toEqual(['text 1', 'text 3', 'text 4', 'text 5']);
    expect(rig.ended.filter(({ how }) => how === 'lost').map(({ note }) => note)).toEqual([{ n: 2 }]);
    expect(again.quarantined).toBe(1);
    expect(again.problems).toEqual([expect.stringContaining('1 damaged entries')]);
    await again.close();
    const later = await rig.open();
    expect([later.entries, later.quarantined]).toEqual([0, 1]);
  });

  it('of a record or missing bytes does the same', async () => {
    const spool = await rig.open();
    await fill(spool, 4);
    await spool.close();
    await tamper(({ tables }) => {
      const record = Buffer.from(tables.index.get(key(0))!);
      record[6]! ^= 1;
      void tables.index.put(key(0), record);
      void tables.entries.remove(key(2));
    });
    const again = await rig.open();
    expect(await writeAll(again)).toEqual(['text 2', 'text 4']);
    expect(again.quarantined).toBe(2);
    expect(rig.logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  it('inside a frozen batch keeps its token: what was sent before may have been stored', async () => {
    const spool = await rig.open();
    await fill(spool, 3);
    const frozen = (await spool.freeze(spool.lane('main', 'table'), 3, 1_000))!;
    await spool.close();
    await tamper(({ tables }) => void tables.entries.put(key(0), Buffer.from('?')));
    const again = await rig.open();
    const batch = (await again.freeze(again.lane('main', 'table'), 3, 1_000))!;
    expect(batch.record.token).toBe(frozen.record.token);
    expect(batch.entries).toHaveLength(2);
    await again.commit(batch);
    expect([again.entries, again.quarantined]).toEqual([0, 1]);
  });

  it('of a file that was cut short sets it aside too', async () => {
    const spool = await rig.open();
    await fill(spool, 1);
    await spool.append([spoolEntry('gw/000001/000000000002', 'x'.repeat(2 ** 20))], undefined).durable;
    await spool.close();
    truncateSync(join(rig.directory, 'data.mdb'), 2 ** 19);
    expect((await rig.open()).entries).toBe(0);
    expect(readdirSync(rig.directory).filter((name) => name.includes('damaged'))).toHaveLength(1);
  });

  it('of the whole file sets the file aside, and begins anew', async () => {
    const spool = await rig.open();
    await fill(spool, 3);
    await spool.close();
    writeFileSync(join(rig.directory, 'data.mdb'), Buffer.alloc(20_000, 7));
    const again = await rig.open();
    expect(again.entries).toBe(0);
    expect(again.problems).toEqual([expect.stringContaining('was set aside')]);
    await fill(again, 1);
    expect(readdirSync(rig.directory).filter((name) => name.includes('damaged'))).toHaveLength(1);
    expect(rig.logger.lines.map(({ message }) => message)).toEqual([
      'Spool damaged; file quarantined, new spool created',
    ]);
  });
});

describe('opening', () => {
  it('refuses a newer format, and changes nothing', async () => {
    await (await rig.open()).close();
    await tamper(({ tables }) => void tables.meta.put('format', Buffer.from('2')));
    const before = readFileSync(join(rig.directory, 'data.mdb'));
    await expect(rig.open()).rejects.toMatchObject({ code: 'SPOOL_FORMAT_NEWER' });
    expect(readFileSync(join(rig.directory, 'data.mdb')).equals(before)).toBe(true);
  });

  it('refuses a spool that another holder has open', async () => {
    await rig.open();
    const signal = AbortSignal.abort();
    await expect(rig.open({ signal })).rejects.toMatchObject({ code: 'SPOOL_IN_USE' });
  });

  it('waits for a holder that is ending', async () => {
    const first = await rig.open();
    const second = rig.open();
    await first.close();
    expect((await second).entries).toBe(0);
  });

  it.each([
    ['of a process that is gone', { pid: deadPid(), host: hostname() }],
    ['of a process of the same id before', { pid: process.pid, host: hostname() }],
    ['of a process whose id another one has now', { pid: process.ppid, host: hostname(), processStart: '1' }],
    ['of another host, whose data directory this is now', { pid: 1, host: 'elsewhere' }],
  ])('takes over the claim %s', async (_, owner) => {
    await (await rig.open()).close();
    const record = Buffer.from(JSON.stringify({ id: 'old', ...owner }));
    await tamper(({ tables }) => void tables.meta.put('owner', record));
    expect((await rig.open({ signal: AbortSignal.abort() })).entries).toBe(0);
  });

  it('waits for one that is being removed, and makes a new one in its place', async () => {
    const adopted = await rig.open();
    await fill(adopted, 1);
    const waiting = rig.open();
    await writeAll(adopted);
    await adopted.remove();
    const spool = await waiting;
    await fill(spool, 2);
    await spool.close();
    const again = await rig.open();
    expect(await writeAll(again)).toEqual(['text 1', 'text 2']);
  });

  it('respects the claim of a process that lives', async () => {
    await (await rig.open()).close();
    const record = Buffer.from(JSON.stringify({ id: 'other', pid: process.ppid, host: hostname() }));
    await tamper(({ tables }) => void tables.meta.put('owner', record));
    await expect(rig.open({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'SPOOL_IN_USE' });
  });

  it('says what is wrong when the directory cannot be used', async () => {
    writeFileSync(join(rig.directory, 'file'), '');
    const directory = join(rig.directory, 'file', 'spool');
    await expect(rig.open({ directory })).rejects.toMatchObject({ code: 'SPOOL_UNUSABLE' });
  });
});

function deadPid(): number {
  return Number(execFileSync(process.execPath, ['-p', 'process.pid']).toString());
}
