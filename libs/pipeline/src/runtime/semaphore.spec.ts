import { describe, expect, it } from '@jest/globals';
import { Fifo } from '../fast/index.js';
import { Semaphore } from './semaphore.js';

function work() {
  const open: (() => void)[] = [];
  const started: number[] = [];
  const start = (semaphore: Semaphore, id: number): Promise<void> =>
    semaphore.run(
      () =>
        new Promise((resolve) => {
          started.push(id);
          open.push(resolve);
        }),
    );
  return { open, started, start };
}

function raise(): undefined {
  throw new Error('now');
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('Semaphore', () => {
  it('runs at most so many at a time, in order, the first ones at once', async () => {
    const semaphore = new Semaphore(2);
    const { open, started, start } = work();
    const all = [1, 2, 3, 4].map((id) => start(semaphore, id));
    expect(started).toEqual([1, 2]);
    open[0]!();
    await settle();
    expect(started).toEqual([1, 2, 3]);
    open[1]!();
    open[2]!();
    await settle();
    open[3]!();
    await Promise.all(all);
    expect(semaphore.running).toBe(0);
  });

  it('gives the place back at once when the work is done at once, or throws', async () => {
    const semaphore = new Semaphore(1);
    expect(semaphore.runNow(() => undefined)).toBeUndefined();
    expect(() => semaphore.runNow(() => raise())).toThrow('now');
    expect(semaphore.running).toBe(0);
    let end = (): void => undefined;
    const long = semaphore.runNow(() => new Promise<void>((resolve) => (end = resolve)));
    let ran = false;
    const next = semaphore.runNow(() => void (ran = true));
    await settle();
    expect([semaphore.running, ran]).toEqual([1, false]);
    end();
    await Promise.all([long, next]);
    expect([semaphore.running, ran]).toEqual([0, true]);
  });

  it('follows its limit up and down', async () => {
    const semaphore = new Semaphore(1);
    const { open, started, start } = work();
    const all = [1, 2, 3, 4].map((id) => start(semaphore, id));
    semaphore.limit = 3;
    await settle();
    expect(started).toEqual([1, 2, 3]);
    semaphore.limit = 1;
    open[0]!();
    open[1]!();
    await settle();
    expect(started).toEqual([1, 2, 3]);
    open[2]!();
    await settle();
    expect(started).toEqual([1, 2, 3, 4]);
    open[3]!();
    await Promise.all(all);
  });

  it('gives the place back when the work fails', async () => {
    const semaphore = new Semaphore(1);
    await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(semaphore.run(() => Promise.resolve(7))).resolves.toBe(7);
  });
});

describe('Fifo', () => {
  it('keeps the order over many thousands of items', () => {
    const fifo = new Fifo<number>();
    const out: number[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      fifo.push(i);
      if (i % 3 !== 0) out.push(fifo.shift()!);
    }
    expect(fifo.peek()).toBe(out.length);
    while (fifo.size > 0) out.push(fifo.shift()!);
    expect(out).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.peek()).toBeUndefined();
  });
});
