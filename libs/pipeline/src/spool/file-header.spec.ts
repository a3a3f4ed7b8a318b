import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { applyChanges, DATA_FILE, openRoot, openTables } from './database.js';
import { checkFile } from './file-header.js';

describe('the front of a spool file', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'file-header-'));
    file = join(directory, DATA_FILE);
    const database = openTables(openRoot({ directory, mapBytes: 2 ** 28 }));
    for (let n = 0; n < 20; n += 1) {
      const value = Buffer.alloc(10_000, n);
      applyChanges(database, [{ table: 'entries', key: ['main', 'table', n], value }]);
    }
    await database.root.close();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Writes over the file at a place that both of its roots have. */
  const overwrite = (at: number, value: number): void => {
    const bytes = readFileSync(file);
    const little = endianness() === 'LE';
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const pageSize = view.getUint32(0x30, little);
    for (const page of [0, pageSize]) view.setUint32(page + at, value, little);
    writeFileSync(file, bytes);
  };

  it('is good as lmdb has written it, and not changed by the look', () => {
    const before = readFileSync(file);
    expect([checkFile(file), checkFile(file, true)]).toEqual(['good', 'good']);
    expect(readFileSync(file).subarray(0, before.length).equals(before)).toBe(true);
  });

  it('is new where there is no file, or an empty one', () => {
    expect(checkFile(join(directory, 'none.mdb'))).toBe('new');
    truncateSync(file, 0);
    expect(checkFile(file)).toBe('new');
  });

  it('is damaged when it is none of lmdb, or shorter than its roots', () => {
    truncateSync(file, 100);
    expect(checkFile(file)).toBe('damaged');
    writeFileSync(file, Buffer.alloc(100_000, 'no spool '));
    expect(checkFile(file)).toBe('damaged');
  });

  it('is foreign when another version of the format has written it', () => {
    overwrite(0x1c, 99);
    expect(checkFile(file)).toBe('foreign');
  });

  it('is damaged when the size of its pages cannot be', () => {
    overwrite(0x30, 3);
    expect(checkFile(file)).toBe('damaged');
  });

  it('is damaged when much of the file is missing', () => {
    const size = statSync(file).size;
    overwrite(0x90, Math.ceil(size / 4096) + 1_000);
    expect([checkFile(file), checkFile(file, true)]).toEqual(['damaged', 'damaged']);
    expect(statSync(file).size).toBe(size);
  });

  it('is good when a few pages at its end were never written: they are added, unless it is only read', () => {
    const size = statSync(file).size;
    const pageSize = readFileSync(file).readUInt32LE(0x30);
    const pages = size / pageSize + 5;
    overwrite(0x90, pages - 1);
    expect(checkFile(file, true)).toBe('damaged');
    expect(statSync(file).size).toBe(size);
    expect(checkFile(file)).toBe('good');
    expect(statSync(file).size).toBe(pages * pageSize);
  });
});
