import { describe, expect, it } from '@jest/globals';
import { PermanentError, type RejectedRow } from '../api/index.js';
import { alphaEvents, FakeSink, testOrigin } from '../testing/index.js';
import { rejectedItems } from './rejected-rows.js';

const row = (id: number, characters = 10): RejectedRow => ({
  code: 'bad',
  sinkCode: '1 BAD',
  field: '/id',
  message: 'Bad.',
  raw: JSON.stringify({ id, text: 'x'.repeat(characters) }),
  origin: testOrigin(id),
  receivedAt: 1_000 + id,
  entry: 0,
});

function itemsOf(rows: readonly RejectedRow[], sink = new FakeSink(), destination = 'alpha_events') {
  const options = { pipeline: 'p', sink: { name: 'letters', plugin: sink }, idPrefix: 'gw/1' };
  return rejectedItems({ ...options, eventTypes: [alphaEvents] }, { destination }, rows);
}

describe('rejectedItems', () => {
  it('makes an entry of dead letters under an id of its own, each with its origin', () => {
    const sink = new FakeSink();
    const runs: unknown[] = [];
    sink.onEncode = (batch) => runs.push(...batch.runs);
    const [item, ...others] = itemsOf([row(2), row(1)], sink);
    expect(others).toEqual([]);
    expect(item).toMatchObject({
      sink: 'letters',
      receivedAt: 1_001,
      entry: { destination: 'dead_letters', rows: 2 },
    });
    const lines = Buffer.from(item!.entry.bytes).toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { entryId: string }).entryId)).toEqual(
      Array.from({ length: 2 }, () => `gw/1/${item!.sequence}`),
    );
    expect(runs).toMatchObject([
      { origin: { senderHost: 'host-2' }, receivedAt: 1_002, count: 1 },
      { origin: { senderHost: 'host-1' }, receivedAt: 1_001, count: 1 },
    ]);
  });

  it('ends an entry before it is too large, and a large row has one of its own', () => {
    const rows = [row(1, 40_000), row(2, 40_000), row(3, 200_000), row(4)];
    const items = itemsOf(rows);
    expect(items.map(({ entry }) => entry.rows)).toEqual([2, 1, 1]);
    expect(new Set(items.map(({ sequence }) => sequence)).size).toBe(3);
  });

  it('knows no type of rows of another destination', () => {
    const [item] = itemsOf([row(1)], new FakeSink(), 'elsewhere');
    expect(JSON.parse(Buffer.from(item!.entry.bytes).toString())).toMatchObject({
      event_type: '',
      destination: 'elsewhere',
    });
  });

  it('makes the batch wait when the sink cannot encode', () => {
    const sink = new FakeSink();
    sink.onEncode = () => {
      throw new TypeError('no');
    };
    expect(() => itemsOf([row(1)], sink)).toThrow(PermanentError);
  });
});
