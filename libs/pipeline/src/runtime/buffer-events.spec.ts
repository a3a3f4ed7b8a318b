import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Subject, type Subscription } from 'rxjs';
import type { Reject } from '../api/index.js';
import { numbers, testBatch, until } from '../testing/index.js';
import { bufferEvents, type BatchSlice, type ProcessingBatch } from './buffer-events.js';
import { PendingBatch } from './pending-batch.js';

const subscriptions: Subscription[] = [];
afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
});

function operator(events: number, lingerMs = 5) {
  const limits = { events, lingerMs };
  const input = new Subject<BatchSlice>();
  const batches: ProcessingBatch[] = [];
  const state = { completed: false };
  const subscription = input
    .pipe(bufferEvents(() => limits))
    .subscribe({ next: (batch) => batches.push(batch), complete: () => (state.completed = true) });
  subscriptions.push(subscription);
  const give = (ids: readonly number[], rejects: Reject[] = []): void => {
    const batch = testBatch(ids, { rejects });
    input.next({ batch, pendingBatch: new PendingBatch(batch, () => undefined) });
  };
  return { limits, input, batches, state, subscription, give };
}

const idsOf = (batch: ProcessingBatch): number[] =>
  batch.flatMap((part) => part.batch.events.map(({ value }) => value as number));
const sizeOf = (batch: ProcessingBatch): number => batch.reduce((sum, part) => sum + part.batch.size, 0);

function reject(code: string): Reject {
  return { stage: 'frame', code, field: '', message: '', raw: Buffer.alloc(0) };
}

describe('bufferEvents', () => {
  it('closes a batch at its size and cuts what does not fit, in order', () => {
    const { batches, give, input } = operator(100, 10_000);
    give(numbers(0, 60));
    give(numbers(60, 150));
    expect(batches.map(sizeOf)).toEqual([100, 100]);
    input.complete();
    expect(batches.map(sizeOf)).toEqual([100, 100, 10]);
    expect(batches.flatMap(idsOf)).toEqual(numbers(0, 210));
  });

  it('hands a batch that fits on as it is', () => {
    const { batches, input } = operator(100, 10_000);
    const batch = testBatch(numbers(0, 100));
    input.next({ batch, pendingBatch: new PendingBatch(batch, () => undefined) });
    expect(batches[0]![0]!.batch).toBe(batch);
  });

  it('leaves nothing in a batch that was cut, so that it does not hold memory', () => {
    const { batches, input } = operator(10, 10_000);
    const batch = testBatch(numbers(0, 25), { rejects: [reject('one')] });
    const pendingBatch = new PendingBatch(batch, () => undefined);
    input.next({ batch, pendingBatch });
    input.complete();
    expect(batch.size).toBe(0);
    expect(pendingBatch.size).toBe(26);
    expect(batches.map(sizeOf)).toEqual([10, 10, 6]);
    expect(batches.flat().reduce((sum, part) => sum + part.batch.bytes, 0)).toBe(batch.bytes);
  });

  it('closes a batch a short time after its first event', async () => {
    const { batches, give } = operator(100, 5);
    give([1]);
    give([2]);
    expect(batches).toHaveLength(0);
    await until(() => batches.length > 0);
    expect(idsOf(batches[0]!)).toEqual([1, 2]);
  });

  it('follows a size that changes, also below what it holds', () => {
    const { batches, give, limits } = operator(100, 10_000);
    give(numbers(0, 50));
    limits.events = 20;
    give(numbers(50, 30));
    expect(batches.map(sizeOf)).toEqual([50, 20]);
    limits.events = 1_000;
    give(numbers(80, 900));
    expect(batches).toHaveLength(2);
  });

  it('forgets its timer when it is left', async () => {
    const { batches, give, subscription } = operator(100, 1);
    give([1]);
    subscription.unsubscribe();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(batches).toHaveLength(0);
  });

  it('neither loses nor doubles a message, however it is cut', () => {
    const sizes = fc.array(fc.tuple(fc.nat(250), fc.nat(40)), { maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 120 }), (given, max) => {
        const { batches, give, input, state } = operator(max, 10_000);
        let next = 0;
        let codes = 0;
        for (const [events, rejects] of given) {
          give(
            numbers(next, events),
            numbers(codes, rejects).map((n) => reject(`r${n}`)),
          );
          next += events;
          codes += rejects;
        }
        input.complete();
        expect(state.completed).toBe(true);
        expect(batches.every((batch) => sizeOf(batch) <= max && sizeOf(batch) > 0)).toBe(true);
        expect(batches.flatMap(idsOf)).toEqual(numbers(0, next));
        const seen = batches.flat().flatMap((part) => part.batch.rejects.map(({ code }) => code));
        expect(seen).toEqual(numbers(0, codes).map((n) => `r${n}`));
      }),
      { numRuns: 60 },
    );
  });
});
