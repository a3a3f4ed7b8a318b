import { describe, expect, it } from '@jest/globals';
import type { RecordBatch } from '../api/index.js';
import { alphaEvents } from '../testing/index.js';
import { encodeBatch, encodeOnly } from './encode-only.js';

const batch = (...ids: number[]): RecordBatch => ({
  type: alphaEvents,
  records: ids.map((id) => ({ id })),
  runs: [],
});
const encode = ({ records }: RecordBatch): Buffer =>
  Buffer.from(records.map(({ id }) => `${id as number};`).join(''));

describe('encodeOnly', () => {
  it('joins the bytes of the batches, without one that was taken out again', () => {
    const block = encodeOnly('d', encode);
    block.add(batch(1, 2));
    block.add(batch(3));
    block.undo();
    block.add(batch(4));
    const { bytes, ...entry } = block.finish('gw/1/1');
    expect([entry, Buffer.from(bytes).toString()]).toEqual([{ destination: 'd', rows: 3 }, '1;2;4;']);
  });

  it('takes a batch out of which encoding has thrown', () => {
    const block = encodeOnly('d', (each) => {
      if (each.records.length > 1) throw new TypeError('too many');
      return encode(each);
    });
    block.add(batch(1));
    expect(() => block.add(batch(2, 3))).toThrow('too many');
    block.undo();
    block.add(batch(4));
    expect(block.finish('gw/1/1')).toEqual({ destination: 'd', rows: 2, bytes: Buffer.from('1;4;') });
  });

  it('asks a function for the bytes when it knows the id of the entry', () => {
    const block = encodeOnly('d', (each) => (id) => Buffer.from(`${id}:${encode(each).toString()}`));
    block.add(batch(1));
    block.add(batch(2));
    expect(Buffer.from(block.finish('gw/1/7').bytes).toString()).toBe('gw/1/7:1;gw/1/7:2;');
  });

  it('refuses what is no bytes', () => {
    const sinkOf = (encodeIt: () => unknown) => ({ open: () => encodeOnly('d', encodeIt as typeof encode) });
    for (const none of [() => undefined, () => 'text', () => () => [1]]) {
      expect(() => encodeBatch(sinkOf(none), batch(1), 'gw/1/1')).toThrow(TypeError);
    }
  });
});
