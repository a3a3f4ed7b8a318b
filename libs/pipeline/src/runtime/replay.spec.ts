import { describe, expect, it } from '@jest/globals';
import {
  createEvent,
  defineEventType,
  PartialWriteError,
  PermanentError,
  RejectError,
  RetryableError,
  type Block,
  type EncodedEntry,
  type EventRecord,
  type EventType,
  type RecordBatch,
  type Recovery,
  type RejectedRow,
  type Sink,
  type Source,
  type Transform,
} from '../api/index.js';
import { encodeOnly } from '../helpers/index.js';
import { testOrigin } from '../testing/index.js';
import { replay, replayEntryId } from './replay.js';
import type { ReplayItem, ReplayOutcome } from './replay-types.js';

const things = defineEventType({
  name: 'things',
  fields: { id: { kind: 'uint64' }, at: { kind: 'time' }, ip: { kind: 'ip', nullable: true } },
});

/** Takes `Thing` events; refuses negative ids. */
const parser: Transform = {
  apply(batch) {
    batch.events = batch.events.filter((event) => {
      const { id } = event.value as { id: number };
      if (event.type !== 'Thing') return true;
      if (id < 0) {
        const why = { stage: 'validate', code: 'negative_id', field: '/id', message: 'Negative.' } as const;
        batch.rejects.push({ ...why, raw: event.raw });
        return false;
      }
      event.eventType = things;
      event.record = { id, at: batch.receivedAt, ip: null };
      return true;
    });
  },
};

/** Reads JSON, and words how an event that no parser takes is rejected. */
const source: Pick<Source, 'read' | 'undecoded'> = {
  read(raw) {
    const text = raw.toString();
    if (!text.startsWith('{')) throw new RejectError('not_json_or_leef', '', 'No.', 'frame');
    const value = JSON.parse(text) as { ActivityType: string };
    return createEvent(value.ActivityType, value, raw);
  },
  undecoded: { code: 'unknown_activity_type', field: '', message: (type) => type, logMessage: '' },
};

/** A destination that remembers entries by their ids, and tells nobody. */
class PlainSink implements Sink {
  readonly stored = new Map<string, EventRecord>();
  readonly tokens: string[] = [];
  readonly batches: RecordBatch[] = [];
  onWrite: (ids: readonly string[]) => void = () => undefined;

  open(type: EventType): Block {
    const block = encodeOnly(type.name, (batch) => {
      this.batches.push(batch);
      return (id) => Buffer.from(id);
    });
    return {
      add: (batch) => block.add(batch),
      undo: () => block.undo(),
      finish: (id) => ({ ...block.finish(id), id }),
    };
  }

  async write(entries: readonly EncodedEntry[], token: string): Promise<void> {
    const ids = entries.map(({ id }) => id!);
    this.tokens.push(token);
    this.onWrite(ids);
    for (const id of ids) this.stored.set(id, {});
  }
}

/** One that recovers. */
class TestSink extends PlainSink {
  async recover(entries: readonly EncodedEntry[], token: string): Promise<Recovery> {
    const found = entries.map(({ id }) => (this.stored.has(id!) ? 1 : 0));
    const missing = entries.filter((_, index) => found[index] === 0);
    if (missing.length === 0) return { found, rejected: [] };
    try {
      await this.write(missing, token);
      return { found, rejected: [] };
    } catch (error) {
      if (!(error instanceof PartialWriteError)) throw error;
    }
    const rejected: RejectedRow[] = [];
    for (const each of missing) {
      const { code, message } =
        ((await this.write([each], token).catch((error: unknown) => error)) as Error & {
          code?: string;
        }) ?? {};
      if (code === undefined) continue;
      const origin = testOrigin();
      rejected.push({
        code,
        sinkCode: code,
        field: '',
        message,
        raw: '',
        origin,
        receivedAt: 0,
        entry: entries.indexOf(each),
      });
    }
    return { found, rejected };
  }
}

function line(n: number, fields: object = {}): ReplayItem {
  return {
    id: `letter-${n}`,
    origin: testOrigin(n + 1),
    receivedAt: 1_000 + n,
    raw: JSON.stringify({ ActivityType: 'Thing', id: n, ...fields }),
    encoding: 'utf8',
    destination: '',
  };
}

const row = (n: number, raw: object | string, destination = 'things'): ReplayItem => ({
  ...line(n),
  raw: typeof raw === 'string' ? raw : JSON.stringify(raw),
  encoding: 'row',
  destination,
});

const signal = new AbortController().signal;
function run(items: readonly ReplayItem[], ...sinks: PlainSink[]): Promise<ReplayOutcome[]> {
  const named = sinks.map((plugin, n) => ({ name: `s${n}`, plugin }));
  return replay(
    { source, steps: [{ name: 'p', plugin: parser }], sinks: named, eventTypes: [things] },
    items,
    signal,
  );
}
const outcomes = (found: readonly ReplayOutcome[]): string[] => found.map(({ outcome }) => outcome);

describe('replay', () => {
  it('stores lines under the origin and time they came with, each as an entry of its own', async () => {
    const sink = new TestSink();
    const other = new TestSink();
    expect(outcomes(await run([line(0), line(1)], sink, other))).toEqual(['replayed', 'replayed']);
    expect([...sink.stored.keys()]).toEqual([replayEntryId('letter-0'), replayEntryId('letter-1')]);
    expect([...other.stored.keys()]).toEqual([...sink.stored.keys()]);
    expect(sink.batches[1]).toEqual({
      type: things,
      records: [{ id: 1, at: 1_001, ip: null }],
      runs: [{ origin: testOrigin(2), receivedAt: 1_001, count: 1 }],
    });
  });

  it('stores nothing twice, whatever is replayed together', async () => {
    const sink = new TestSink();
    await run([line(0), line(1)], sink);
    expect(outcomes(await run([line(1), line(2)], sink))).toEqual(['stored', 'replayed']);
    expect(sink.stored.size).toBe(3);
    await run([line(0), line(1), line(2)], sink);
    expect(sink.tokens).toHaveLength(2);
  });

  it('gives the same token to the same events', async () => {
    const sink = new TestSink();
    sink.onWrite = () => {
      throw new PermanentError('No.', '60');
    };
    await run([line(0), line(1)], sink);
    await run([line(0), line(1)], sink);
    await run([line(0)], sink);
    expect(sink.tokens[1]).toBe(sink.tokens[0]);
    expect(sink.tokens[2]).not.toBe(sink.tokens[0]);
  });

  it('says why lines are refused as before', async () => {
    const sink = new TestSink();
    const found = await run(
      [line(-1), { ...line(0), raw: 'nonsense' }, line(2, { ActivityType: 'Other' }), line(3)],
      sink,
    );
    expect(found.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['refused', 'negative_id'],
      ['refused', 'not_json_or_leef'],
      ['refused', 'unknown_activity_type'],
      ['replayed', undefined],
    ]);
  });

  it('reads lines that are base64', async () => {
    const sink = new TestSink();
    const item = line(5);
    const raw = Buffer.from(item.raw).toString('base64');
    expect(outcomes(await run([{ ...item, raw, encoding: 'base64' }], sink))).toEqual(['replayed']);
  });

  it('finds the events that a sink refuses, and stores the others', async () => {
    const sink = new TestSink();
    sink.onWrite = (ids) => {
      if (ids.includes(replayEntryId('letter-3'))) throw new PartialWriteError('Refused.', '469', []);
    };
    const found = await run(
      [0, 1, 2, 3, 4, 5].map((n) => line(n)),
      sink,
    );
    expect(outcomes(found)).toEqual(['replayed', 'replayed', 'replayed', 'refused', 'replayed', 'replayed']);
    expect(found[3]).toMatchObject({ code: '469', message: 'Refused.' });
    expect(sink.stored.size).toBe(5);
  });

  it('tries again what may succeed, and says so when it does not', async () => {
    const sink = new TestSink();
    let left = 2;
    sink.onWrite = () => {
      left -= 1;
      if (left >= 0) throw new RetryableError('Busy.', '202');
    };
    expect(outcomes(await run([line(0)], sink))).toEqual(['replayed']);
    expect(new Set(sink.tokens).size).toBe(1);
    left = 100;
    expect(await run([line(1)], sink)).toEqual([
      { id: 'letter-1', outcome: 'failed', code: '202', message: 'Busy.' },
    ]);
  });

  it('counts the worst of several sinks', async () => {
    const sink = new TestSink();
    const other = new TestSink();
    other.onWrite = () => {
      throw new PermanentError('No.', '60');
    };
    expect(outcomes(await run([line(0)], sink, other))).toEqual(['failed']);
    other.onWrite = () => undefined;
    expect(outcomes(await run([line(0)], sink, other))).toEqual(['replayed']);
    expect(sink.stored.size).toBe(1);
  });
});

describe('the replay of refused rows', () => {
  const good = { id: 7, at: '2026-11-20T09:15:02.187Z', ip: '::ffff:10.0.0.5', other: 'x' };

  it('goes to sinks that refuse rows only, as the record that it was', async () => {
    const sink = new TestSink();
    const plain = new PlainSink();
    expect(outcomes(await run([row(0, good)], sink, plain))).toEqual(['replayed']);
    expect(plain.stored.size).toBe(0);
    expect(sink.batches[0]!.records).toEqual([
      { id: 7, at: Date.UTC(2026, 10, 20, 9, 15, 2, 187), ip: '10.0.0.5' },
    ]);
  });

  it('keeps numbers beyond 2^53 digit for digit', async () => {
    const sink = new TestSink();
    await run([row(0, JSON.stringify(good).replace('7', '18446744073709551615'))], sink);
    expect(sink.batches[0]!.records[0]).toMatchObject({ id: 18_446_744_073_709_551_615n });
  });

  it.each([
    ['no JSON', 'x', 'row_unreadable'],
    ['another type of value', { ...good, id: 'x' }, 'row_unreadable'],
    ['a field that is missing', { id: 1 }, 'row_unreadable'],
  ])('refuses %s', async (_, raw, code) => {
    const sink = new TestSink();
    expect(await run([row(0, raw)], sink)).toMatchObject([{ outcome: 'refused', code }]);
  });

  it('refuses rows of a type that nobody knows, and where no sink takes rows', async () => {
    expect(await run([row(0, good, 'others')], new TestSink())).toMatchObject([
      { code: 'unknown_destination' },
    ]);
    expect(await run([row(0, good)], new PlainSink())).toMatchObject([{ code: 'no_sink' }]);
  });
});
