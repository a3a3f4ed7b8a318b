import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  buffer,
  bufferCount,
  concat,
  defer,
  exhaustMap,
  filter,
  map,
  of,
  timer,
  type Observable,
} from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { bufferRows, type RowLimits } from './buffer-rows.js';
import { MAX_SINK_BATCH_BYTES } from './destination-queue.js';
import { MemoryDestinationQueue } from './memory-queue.js';

/** Longer than any of the streams here. */
const ENDLESS = 100_000;

/** Rows at random times, two at once now and then: a digit is a row. */
const marbles = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 25 })
  .map((rows) => rows.map(([wait, two], i) => `${'-'.repeat(wait)}${two ? `(${i % 10}x)` : i % 10}`).join(''))
  .map((stream) => stream.replaceAll('x', '7'));

type Limits = Partial<Omit<RowLimits, 'now'>>;

/** A destination of which entries of one row each are taken when it has a sink batch to give. */
class Rig {
  readonly queue = new MemoryDestinationQueue('main', 'table');
  readonly scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  limits: Limits = {};

  /** The sink batches that rows become; the queue is closed at their end. */
  batches(rows: Observable<string>, bytes = 1): Observable<string[]> {
    const appended = rows.pipe(map((row) => this.#append(row, bytes)));
    const closed = defer(() => {
      this.queue.closing = true;
      return of(this.queue);
    });
    return concat(appended, closed).pipe(
      bufferRows(() => this.#now(), this.scheduler),
      map(() => this.take()),
    );
  }

  take(): string[] {
    this.queue.announced -= 1;
    return this.queue.takeUpTo(this.#now().maxRows).map(({ item }) => item.sequence);
  }

  #append(sequence: string, bytes: number): MemoryDestinationQueue {
    const receivedAt = this.scheduler.now();
    const entry = { destination: 'table', rows: 1, bytes: { byteLength: bytes } as Uint8Array };
    const item = { sink: 'main', entry, sequence, receivedAt };
    this.queue.push({ item, receivedAt, group: { left: 1, written: () => undefined } });
    return this.queue;
  }

  #now(): RowLimits {
    const endless = { maxRows: ENDLESS, maxAgeMs: ENDLESS, pressure: false };
    return { ...endless, ...this.limits, now: this.scheduler.now() };
  }
}

function sameAs(
  stream: string,
  limits: Limits,
  theirs: (rows: Observable<string>) => Observable<string[]>,
): void {
  const rig = new Rig();
  rig.limits = limits;
  rig.scheduler.run(({ cold, expectObservable }) => {
    const rows = cold(`${stream}---|`);
    expectObservable(rig.batches(rows)).toEqual(theirs(rows));
  });
}

describe('bufferRows over limits that do not change', () => {
  it('is bufferCount as far as the rows go', () => {
    fc.assert(
      fc.property(marbles, fc.integer({ min: 1, max: 6 }), (stream, maxRows) =>
        sameAs(stream, { maxRows }, (rows) => rows.pipe(bufferCount(maxRows))),
      ),
      { numRuns: 200 },
    );
  });

  it('is buffer, closed a time after its oldest row, as far as the time goes', () => {
    fc.assert(
      fc.property(marbles, fc.integer({ min: 1, max: 12 }), (stream, frames) => {
        // Between two frames: a row that comes when the time is over finds it over, and RxJS takes all of the frame.
        const maxAgeMs = frames + 0.5;
        sameAs(stream, { maxAgeMs }, (rows) =>
          rows.pipe(
            buffer(rows.pipe(exhaustMap(() => timer(maxAgeMs)))),
            filter((batch) => batch.length > 0),
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('is bufferCount by bytes too, however few the rows', () => {
    const rig = new Rig();
    rig.scheduler.run(({ cold, expectObservable }) => {
      const rows = cold('1-2-3-4-5-|');
      expectObservable(rig.batches(rows, MAX_SINK_BATCH_BYTES / 2)).toEqual(rows.pipe(bufferCount(2)));
    });
  });
});

describe('bufferRows over limits that change', () => {
  function run(
    stream: string,
    changes: Readonly<Record<number, Limits>>,
    expected: string,
    values: Readonly<Record<string, string[]>>,
    prepare: (rig: Rig) => void = () => undefined,
  ): void {
    const rig = new Rig();
    prepare(rig);
    rig.scheduler.run(({ cold, expectObservable }) => {
      for (const [at, next] of Object.entries(changes)) {
        rig.scheduler.schedule(() => (rig.limits = next), Number(at));
      }
      expectObservable(rig.batches(cold(stream))).toBe(expected, values);
    });
  }

  it('closes by fewer rows with the next change', () => {
    const changes = { 0: { maxRows: 4 }, 3: { maxRows: 2 } };
    run('12--34--5|', changes, '----ab---(c|)', { a: ['1', '2'], b: ['3', '4'], c: ['5'] });
  });

  it('waits no longer than a shorter time from the next change on', () => {
    const changes = { 0: { maxAgeMs: 50 }, 3: { maxAgeMs: 5 } };
    run('1---2-----3----|', changes, '-----a---------(b|)', { a: ['1', '2'], b: ['3'] });
  });

  it('gives what there is under pressure, when no other batch of the destination is out', () => {
    const changes = { 0: {}, 3: { pressure: true } };
    run('12--3-4--|', changes, '----a-b--|', { a: ['1', '2', '3'], b: ['4'] });
    run('12--3-4--|', changes, '---------(a|)', { a: ['1', '2', '3', '4'] }, (rig) => (rig.queue.out = 1));
  });

  it('gives nothing of a destination while a batch of it fails', () => {
    run('12--3-4--|', { 0: { maxRows: 1, maxAgeMs: 2 } }, '---------|', {}, (rig) => {
      rig.queue.failing.add('token');
    });
  });
});
