import { describe, expect, it } from '@jest/globals';
import { BufferPool } from './buffer-pool.js';

describe('BufferPool', () => {
  const pool = (): BufferPool => new BufferPool({ minBytes: 1024, maxSpareBytes: 8192 });

  it.each([
    [0, 1024],
    [1024, 1024],
    [1025, 2048],
    [5000, 8192],
  ])('makes a buffer for %i bytes of %i bytes', (bytes, size) => {
    expect(pool().take(bytes)).toHaveLength(size);
  });

  it('gives a buffer out again when it is large enough, to one at a time', () => {
    const some = pool();
    const [small, large] = [some.take(1), some.take(4000)];
    some.give(small);
    some.give(large);
    expect(some.take(2000)).toBe(large);
    expect(some.take(2000)).not.toBe(large);
    expect(some.take(1000)).toBe(small);
  });

  it('keeps no more than it may', () => {
    const some = pool();
    const buffers = Array.from({ length: 5 }, () => some.take(2048));
    for (const buffer of buffers) some.give(buffer);
    const again = Array.from({ length: 5 }, () => some.take(2048));
    expect(again.filter((buffer) => buffers.includes(buffer))).toHaveLength(4);
  });
});
