import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const CHILD = resolve('test/support/spool-child.mjs');
const ROUNDS = 12;

/** What all children together have said. */
class Oracle {
  readonly durable = new Set<string>();
  readonly frozen = new Map<string, string>();
  readonly written = new Set<string>();
  /** Freezes that were not the same each time. */
  readonly changed: string[] = [];

  hear(line: string): void {
    const [what, name, ids = ''] = line.split(' ');
    if (what === 'D') this.durable.add(name!);
    else if (what === 'W') this.written.add(name!);
    else if ((this.frozen.get(name!) ?? ids) === ids) this.frozen.set(name!, ids);
    else this.changed.push(line);
  }

  /** Entries that a sink holds which takes each token once. */
  stored(): string[] {
    return [...this.written].flatMap((token) => this.frozen.get(token)!.split(','));
  }
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-crash-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Runs a child; kills it so many ms after its first word, or lets it end. */
async function run(oracle: Oracle, mode: string, epoch: number, killAfterMs?: number): Promise<void> {
  const args = [CHILD, directory, mode, String(epoch).padStart(6, '0')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  let timer: NodeJS.Timeout | undefined;
  lines.on('line', (line) => {
    oracle.hear(line);
    if (killAfterMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  });
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  clearTimeout(timer);
  expect(killAfterMs === undefined ? code : signal).toBe(killAfterMs === undefined ? 0 : 'SIGKILL');
}

async function crash(mode: string): Promise<Oracle> {
  const oracle = new Oracle();
  for (let round = 1; round <= ROUNDS; round += 1) await run(oracle, mode, round, 5 + Math.random() * 150);
  await run(oracle, 'drain', ROUNDS + 1);
  return oracle;
}

describe('a spool whose process is killed again and again', () => {
  it('keeps what it has called durable, and sends each entry under one token only', async () => {
    const oracle = await crash('durable');
    const stored = oracle.stored();
    expect(oracle.durable.size).toBeGreaterThan(100);
    expect([...oracle.durable].filter((id) => !stored.includes(id))).toEqual([]);
    expect(stored).toHaveLength(new Set(stored).size);
    expect(oracle.changed).toEqual([]);
  }, 120_000);

  it('loses what was called durable before it was (which shows that the test would see a loss)', async () => {
    const oracle = await crash('early');
    const stored = new Set(oracle.stored());
    expect([...oracle.durable].filter((id) => !stored.has(id)).length).toBeGreaterThan(0);
  }, 120_000);
});
