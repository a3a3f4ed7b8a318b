import { describe, expect, it } from '@jest/globals';
import type { Database } from 'lmdb';
import { Documents, isFailedCommit } from './documents.js';

/** What lmdb rejects a write with that the disk refuses: the cause is in another promise, which nobody has handled. */
function failedCommit(): Error {
  const commitError = Promise.reject(new Error('No space left on device'));
  return Object.assign(new Error('Commit failed (see commitError for details)'), { commitError });
}

/** A table whose writes end with an error; made anew for each, as lmdb does. */
function tableThatFails(error: () => Error): Documents<string> {
  const fail = (): Promise<never> => Promise.reject(error());
  return new Documents({ put: fail, transaction: fail } as unknown as Database<string, string>, {
    closed: false,
  });
}

const WRITES = [
  ['put', (table: Documents<string>) => table.put('k', 'v')],
  ['remove', (table: Documents<string>) => table.remove('k')],
  ['write', (table: Documents<string>) => table.write((inner) => inner.put('k', 'v'))],
] as const;

describe('a write that the disk refuses', () => {
  it.each(WRITES)('is told with its reason and what to do: %s', async (_name, write) => {
    await expect(write(tableThatFails(failedCommit))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The store cannot write: No space left on device',
      hint: expect.stringContaining('disk of the data directory'),
    });
  });

  it('leaves no rejection that nobody handles, which would end the gateway', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      await expect(tableThatFails(failedCommit).put('k', 'v')).rejects.toThrow();
      // Node reports rejections after the microtasks of the turn in which they were left alone.
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it.each(WRITES)('is told apart from any other error, which is passed on: %s', async (_name, write) => {
    const other = new Error('a fault of ours');
    await expect(write(tableThatFails(() => other))).rejects.toBe(other);
  });
});

describe('isFailedCommit', () => {
  it('knows the error of lmdb and nothing else', async () => {
    const error = failedCommit() as Error & { commitError: Promise<never> };
    expect(isFailedCommit(error)).toBe(true);
    expect([new Error('x'), { commitError: 1 }, null, undefined, 'x'].some(isFailedCommit)).toBe(false);
    await expect(error.commitError).rejects.toThrow('No space');
  });
});
