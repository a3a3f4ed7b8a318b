import { chmod, chown, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { closeDataDirectory } from './close-data-directory.js';

const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0 ? it : it.skip;

let home: string;
let directory: string;
let logger: RecordingLogger;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gateway-close-'));
  directory = join(home, 'data');
  logger = createRecordingLogger();
  await mkdir(directory);
  await chmod(directory, 0o755);
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function put(path: string, mode: number, directoryMode = 0o755): Promise<void> {
  const parts = path.split('/');
  for (let depth = 1; depth < parts.length; depth += 1) {
    const parent = join(directory, ...parts.slice(0, depth));
    await mkdir(parent, { recursive: true });
    await chmod(parent, directoryMode);
  }
  await writeFile(join(directory, path), 'x');
  await chmod(join(directory, path), mode);
}

const modeOf = async (path: string): Promise<string> => ((await lstat(path)).mode & 0o7777).toString(8);

async function openEntries(): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  const found = await Promise.all(
    ['.', ...names].map(async (name) => {
      const entry = await lstat(join(directory, name));
      return entry.isSymbolicLink() || (entry.mode & 0o77) === 0 ? [] : [name];
    }),
  );
  return found.flat();
}

describe('closeDataDirectory', () => {
  it('closes what was there before, at every depth', async () => {
    await put('admin.key', 0o644);
    await put('tls/server.crt', 0o644);
    await put('clickhouse/config.xml', 0o644);
    await put('clickhouse/data/store/abc/part/data.bin', 0o640, 0o750);
    await put('spool/activity/0/data.mdb', 0o664, 0o700);
    const { done } = await closeDataDirectory(directory, logger);
    expect(await modeOf(directory)).toBe('700');
    expect(await modeOf(join(directory, 'admin.key'))).toBe('600');
    await done;
    expect(await openEntries()).toEqual([]);
    expect(await modeOf(join(directory, 'clickhouse/data/store/abc/part/data.bin'))).toBe('600');
    expect(logger.lines.map(({ level }) => level)).toEqual(['info']);
    await (
      await closeDataDirectory(directory, logger)
    ).done;
    expect(logger.lines).toHaveLength(1);
  });

  it('follows no link', async () => {
    const outside = join(home, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'file'), 'x');
    await chmod(outside, 0o755);
    await chmod(join(outside, 'file'), 0o644);
    await symlink(outside, join(directory, 'folder'));
    await symlink(join(outside, 'file'), join(directory, 'file'));
    await (
      await closeDataDirectory(directory, logger)
    ).done;
    expect([await modeOf(outside), await modeOf(join(outside, 'file'))]).toEqual(['755', '644']);
  });

  it('ends early when it is stopped, and goes on the next time', async () => {
    await put('clickhouse/data/store/abc/part/data.bin', 0o640, 0o750);
    await (await closeDataDirectory(directory, logger)).stop();
    await (
      await closeDataDirectory(directory, logger)
    ).done;
    expect(await openEntries()).toEqual([]);
  });

  asRoot('leaves what belongs to another user as it is, with one warning (needs root)', async () => {
    await put('mine', 0o644);
    await put('theirs', 0o644);
    await chown(join(directory, 'theirs'), NOBODY, NOBODY);
    await chown(directory, NOBODY, NOBODY);
    await chmod(directory, 0o2770);
    await (
      await closeDataDirectory(directory, logger)
    ).done;
    expect(await openEntries()).toEqual(['.', 'theirs']);
    expect(await modeOf(directory)).toBe('2770');
    const warnings = logger.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([{ fields: { directory, owner: NOBODY, mode: '2770' } }]);
  });
});
