import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppendFile } from './append-file.js';

const signal = new AbortController().signal;
const bytes = (text: string): Uint8Array[] => [Buffer.from(text)];
let directory = '';
let path = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'append-file-'));
  path = join(directory, 'a.ndjson');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Files whose next calls of a method fail with ENOSPC, after half of what they were given has been written. */
function failing(method: 'writev' | 'datasync' | 'truncate', times: { left: number }) {
  return async (name: string, flags: string): Promise<FileHandle> => {
    const file = await open(name, flags);
    const original = file[method].bind(file) as (...args: unknown[]) => Promise<unknown>;
    const spoiled = async (...args: unknown[]): Promise<unknown> => {
      if (times.left === 0) return original(...args);
      times.left -= 1;
      if (method === 'writev') await file.write((args[0] as Buffer[])[0]!.subarray(0, 3));
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    return Object.assign(file, { [method]: spoiled });
  };
}

describe('AppendFile', () => {
  it('appends in the order of the calls', async () => {
    const file = new AppendFile(path, true);
    await Promise.all(['1\n', '2\n', '3\n'].map((text) => file.append(bytes(text), signal)));
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('1\n2\n3\n');
  });

  it.each(['writev', 'datasync'] as const)('leaves nothing behind when %s fails', async (method) => {
    const file = new AppendFile(path, true, failing(method, { left: 1 }));
    await expect(file.append(bytes('first\n'), signal)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(readFileSync(path, 'utf8')).toBe('');
    await file.append(bytes('first\n'), signal);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('first\n');
  });

  it('cuts off before the next append what it could not cut off at once', async () => {
    const times = { left: 0 };
    const file = new AppendFile(path, false, async (name, flags) => {
      const handle = await failing('writev', times)(name, flags);
      const truncate = handle.truncate.bind(handle);
      let fail = true;
      handle.truncate = async (length) => {
        if (fail) {
          fail = false;
          throw Object.assign(new Error('i/o error'), { code: 'EIO' });
        }
        await truncate(length);
      };
      return handle;
    });
    await file.append(bytes('first\n'), signal);
    times.left = 1;
    await expect(file.append(bytes('second\n'), signal)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(readFileSync(path, 'utf8')).toBe('first\nsec');
    await file.append(bytes('second\n'), signal);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
  });

  it('opens a new file when its own was renamed or removed', async () => {
    const file = new AppendFile(path, true);
    await file.append(bytes('1\n'), signal);
    await rename(path, `${path}.1`);
    await file.append(bytes('2\n'), signal);
    rmSync(path);
    await file.append(bytes('3\n'), signal);
    await file.close();
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('1\n');
    expect(readFileSync(path, 'utf8')).toBe('3\n');
  });
});
