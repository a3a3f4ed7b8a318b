import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Spool } from '@activity-gateway/pipeline/host';
import { createSpoolRig, spoolEntry, type SpoolRig } from '@activity-gateway/pipeline/host/testing';
import { openRoot, openTables } from '../../../../libs/pipeline/src/spool/database.js';
import { printError } from './print-error.js';
import { spoolCommand } from './spool.command.js';

let dataDir: string;
let rig: SpoolRig;
let spool: Spool;
let output: string;
let directory: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'spool-command-'));
  directory = join(dataDir, 'spool', 'activity', '0');
  rig = createSpoolRig();
  spool = await rig.open({ directory });
  for (let n = 1; n <= 3; n += 1) {
    const receivedAt = Date.UTC(2026, 0, n);
    const entry = spoolEntry(`gw/000001/00000000000${n}`, `block ${n};`, {
      destination: 'file_events',
      rows: n,
      receivedAt,
    });
    await spool.append([entry], undefined).durable;
  }
  await spool.append(
    [spoolEntry('gw/000001/000000000004', 'letter;', { destination: 'dead_letters' })],
    undefined,
  ).durable;
  output = '';
  const keep = (text: unknown): boolean => (output += String(text)) !== '';
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rig.dispose();
  rmSync(dataDir, { recursive: true });
});

const run = (argv: readonly string[]): Promise<number> => spoolCommand().run(argv).catch(printError);
const command = (...argv: string[]): Promise<number> => run([...argv, '--data-dir', dataDir]);

async function damage(): Promise<void> {
  await spool.close();
  const { root, tables } = openTables(openRoot({ directory, mapBytes: 2 ** 30 }));
  await tables.entries.put(['main', 'file_events', 1] as never, Buffer.from('block X;'));
  await root.close();
}

describe('gateway spool', () => {
  it('inspect shows what waits beside a running gateway, frozen batches included', async () => {
    await spool.freeze(spool.lane('main', 'file_events'), 3, 1_000);
    expect(await command('inspect')).toBe(0);
    expect(output).toContain('activity/0 (format 1)');
    expect(output).toMatch(/main, file_events +3 +6 +24 +2026-01-01T00:00:00.000Z/);
    expect(output).toMatch(/main, dead_letters +1 +1 +7 /);
    expect(output).toMatch(
      /frozen for main since .*: 2 entries, 3 rows, gw\/000001\/file_events\/0{11}1-0{11}2/,
    );
  });

  it('inspect --json is for programs', async () => {
    expect(await command('inspect', '--json', '--pipeline', 'activity')).toBe(0);
    expect(JSON.parse(output)).toMatchObject([
      {
        name: 'activity/0',
        format: 1,
        quarantined: 0,
        lanes: [{ destination: 'dead_letters' }, { entries: 3, rows: 6 }],
      },
    ]);
  });

  it('verify finds what is damaged', async () => {
    expect(await command('verify')).toBe(0);
    expect(output).toContain('activity/0: 4 entries, 0 damaged, 0 set aside before');
    await damage();
    expect(await command('verify')).toBe(1);
    expect(output).toContain('damaged entry 1 of main, file_events: gw/000001/000000000002');
    expect(output).toContain('activity/0: 4 entries, 1 damaged');
  });

  it('export writes the encoded bytes in order, and nothing over another file', async () => {
    const out = join(dataDir, 'out');
    expect(await command('export', '--out', out, '--destination', 'file_events')).toBe(0);
    const file = join(out, 'activity-0.main.file_events.bin');
    expect(readFileSync(file, 'utf8')).toBe('block 1;block 2;block 3;');
    expect(output).toContain(`${file}: 3 entries, 6 rows`);
    expect(await command('export', '--out', out)).toBe(1);
    expect(output).toContain('SPOOL_EXPORT_FAILED');
    expect(spool.entries).toBe(4);
  });

  it('export leaves out what is damaged, and says so', async () => {
    await damage();
    const out = join(dataDir, 'out');
    expect(await command('export', '--out', out, '--sink', 'main', '--destination', 'file_events')).toBe(1);
    expect(readFileSync(join(out, 'activity-0.main.file_events.bin'), 'utf8')).toBe('block 1;block 3;');
    expect(output).toContain('1 damaged entries were left out');
  });

  it('says when there is no spool', async () => {
    expect(await run(['inspect', '--data-dir', join(dataDir, 'nowhere')])).toBe(0);
    expect(output).toContain('There is no spool in');
  });

  it.each([[['mend']], [[]], [['export']], [['inspect', '--dir', 'x']]])('refuses %j', async (argv) => {
    expect(await run(argv)).toBe(2);
    expect(output).toContain('CLI_USAGE');
  });
});
