import { describe, expect, it } from '@jest/globals';
import type { EncodedEntry } from '@activity-gateway/pipeline/api';
import { BufferPool } from '@activity-gateway/pipeline/helpers';
import { everyKind, sampleBatch } from '@activity-gateway/pipeline/testing';
import { ByteWriter } from './native/byte-writer.js';
import { EncoderPool } from './native/encoder-pool.js';
import { OpenBlock } from './open-block.js';

describe('OpenBlock', () => {
  it('uses the memory of an entry again when it is released, and that of no other', () => {
    const [pool, writer] = [new EncoderPool(everyKind), new ByteWriter()];
    const buffers = new BufferPool({ minBytes: 1024, maxSpareBytes: 2 ** 24 });
    const make = (): EncodedEntry => {
      const block = new OpenBlock('t', pool, writer, buffers);
      block.add(sampleBatch(everyKind));
      return block.finish('g/1/1');
    };
    const [first, second] = [make(), make()];
    const bytes = Buffer.from(second.bytes);
    expect(first.bytes.buffer).not.toBe(second.bytes.buffer);
    first.release?.();
    const third = make();
    expect(third.bytes.buffer).toBe(first.bytes.buffer);
    expect(bytes.equals(second.bytes)).toBe(true);
    expect(bytes.equals(third.bytes)).toBe(true);
    expect(make().bytes.buffer).not.toBe(second.bytes.buffer);
  });
});
