import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { buffer, bufferCount, bufferTime, exhaustMap, filter, map, take, timer, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { testBatch } from '../testing/index.js';
import { bufferEvents, type BatchSlice, type ProcessingBatch } from './buffer-events.js';
import { PendingBatch } from './pending-batch.js';

/** Longer than any of the streams here. */
const ENDLESS = 100_000;

/** Events at random times, two at once now and then: a digit is an event. */
const marbles = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 25 })
  .map((events) =>
    events.map(([wait, two], i) => `${'-'.repeat(wait)}${two ? `(${i % 10}x)` : i % 10}`).join(''),
  )
  .map((stream) => stream.replaceAll('x', '7'));

function sliceOf(id: string): BatchSlice {
  const batch = testBatch([Number(id)]);
  return { batch, pendingBatch: new PendingBatch(batch, () => undefined) };
}

const idsOf = (batch: ProcessingBatch): string[] =>
  batch.flatMap((part) => part.batch.events.map(({ value }) => String(value)));

/** Compares the operator with what RxJS's own give of the same stream. */
function sameAs(
  stream: string,
  limits: { events: number; lingerMs: number },
  ours: (batches: Observable<string[]>) => Observable<string[]>,
  theirs: (events: Observable<string>, scheduler: TestScheduler) => Observable<string[]>,
): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run(({ cold, expectObservable }) => {
    const events = cold(`${stream}---|`);
    const batches = events.pipe(
      map(sliceOf),
      bufferEvents(() => limits, scheduler),
      map(idsOf),
    );
    expectObservable(ours(batches)).toEqual(theirs(events, scheduler));
  });
}

const notEmpty = filter((ids: string[]) => ids.length > 0);

describe('bufferEvents over limits that do not change', () => {
  it('is bufferCount as far as the size goes', () => {
    fc.assert(
      fc.property(marbles, fc.integer({ min: 1, max: 6 }), (stream, events) =>
        sameAs(
          stream,
          { events, lingerMs: ENDLESS },
          (batches) => batches,
          (source) => source.pipe(bufferCount(events)),
        ),
      ),
      { numRuns: 200 },
    );
  });

  it('is buffer, closed a time after its first event, as far as the time goes', () => {
    fc.assert(
      fc.property(marbles, fc.integer({ min: 1, max: 12 }), (stream, lingerMs) =>
        sameAs(
          stream,
          { events: ENDLESS, lingerMs },
          (batches) => batches,
          (source) => source.pipe(buffer(source.pipe(exhaustMap(() => timer(lingerMs)))), notEmpty),
        ),
      ),
      { numRuns: 200 },
    );
  });

  it('is bufferTime with a size, for a buffer that opens with its first event', () => {
    const both = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(marbles, both, (stream, [events, frames]) => {
        // Between two frames: at the same one, RxJS closes before it takes the event.
        const lingerMs = frames - 0.5;
        sameAs(
          `0${stream}`,
          { events, lingerMs },
          (batches) => batches.pipe(take(1)),
          (source) => source.pipe(bufferTime(lingerMs, null, events), notEmpty, take(1)),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('bufferEvents over limits that change', () => {
  /** Changes limits at given frames. */
  function run(
    stream: string,
    changes: Readonly<Record<number, { events: number; lingerMs: number }>>,
    expected: string,
    values: Readonly<Record<string, string[]>>,
  ): void {
    const scheduler = new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted));
    let limits = changes[0]!;
    scheduler.run(({ cold, expectObservable }) => {
      for (const [at, next] of Object.entries(changes)) {
        scheduler.schedule(() => (limits = next), Number(at));
      }
      const batches = cold(stream).pipe(
        map(sliceOf),
        bufferEvents(() => limits, scheduler),
        map(idsOf),
      );
      expectObservable(batches).toBe(expected, values);
    });
  }

  it('closes by a lower size with the next event', () => {
    const changes = { 0: { events: 4, lingerMs: 50 }, 3: { events: 2, lingerMs: 50 } };
    run('12--34--5|', changes, '----ab---(c|)', { a: ['1', '2'], b: ['3', '4'], c: ['5'] });
  });

  it('counts the time of each batch from its own first event', () => {
    const changes = { 0: { events: 2, lingerMs: 6 } };
    run('12-3---------|', changes, '-a-------b---|', { a: ['1', '2'], b: ['3'] });
    run('123----------|', changes, '-a------b----|', { a: ['1', '2'], b: ['3'] });
  });

  it('waits no longer than a shorter time, looked at when the one before is over', () => {
    const changes = { 0: { events: 9, lingerMs: 6 }, 8: { events: 9, lingerMs: 3 } };
    run('1-------2----3---|', changes, '------a----b----c|', { a: ['1'], b: ['2'], c: ['3'] });
  });
});
