import { describe, expect, it } from '@jest/globals';
import { sleep } from '../helpers/index.js';
import { writeOut, type WriteOutOptions } from './write-out.js';

const STALL_MS = 300;

function options(given: Partial<WriteOutOptions>): WriteOutOptions {
  return {
    finished: new Promise(() => undefined),
    durable: () => true,
    waiting: () => 7,
    deadline: Date.now() + 60_000,
    now: Date.now,
    stallMs: STALL_MS,
    ...given,
  };
}

describe('writeOut', () => {
  it('ends when everything is written', async () => {
    await expect(writeOut(options({ finished: sleep(20) }))).resolves.toBe('written');
  });

  it('ends when sinks write nothing and everything is on disk', async () => {
    await expect(writeOut(options({}))).resolves.toBe('stalled');
  });

  it('waits for sinks that write, until the deadline', async () => {
    let rows = 1_000;
    const began = Date.now();
    const ended = writeOut(options({ waiting: () => (rows -= 1), deadline: began + 4 * STALL_MS }));
    await expect(ended).resolves.toBe('late');
    expect(Date.now() - began).toBeGreaterThanOrEqual(4 * STALL_MS);
  });

  it('waits until the deadline for what would be lost', async () => {
    await expect(
      writeOut(options({ durable: () => false, deadline: Date.now() + 2 * STALL_MS })),
    ).resolves.toBe('late');
  });
});
