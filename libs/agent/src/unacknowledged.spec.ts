import { describe, expect, it } from '@jest/globals';
import { ChunkBuilder, type MessageChunk } from './message-source.js';
import { MemoryUnacknowledged } from './unacknowledged.js';

function chunk(from: number, count: number): MessageChunk {
  const builder = new ChunkBuilder();
  for (let n = from; n < from + count; n += 1) builder.add('file', `{"n":${n},"ü":1}`);
  return builder.take() ?? { data: '', counts: new Map() };
}

/** Numbers of all messages from a sequence on. */
function numbersFrom(held: MemoryUnacknowledged, sequence: number): number[] {
  const found: number[] = [];
  for (let next = sequence; ;) {
    const piece = held.from(next);
    if (piece === undefined) return found;
    const lines = Buffer.from(piece.data).toString().split('\n').slice(0, -1);
    expect(lines).toHaveLength(piece.messages);
    found.push(...lines.map((line) => (JSON.parse(line) as { n: number }).n));
    next += piece.messages;
  }
}

describe('MemoryUnacknowledged', () => {
  it('gives everything from any number on, also from within a chunk', async () => {
    const held = new MemoryUnacknowledged();
    for (let from = 1; from <= 91; from += 10) await held.add(chunk(from, 10));
    for (const start of [1, 2, 10, 11, 55, 100]) {
      expect(numbersFrom(held, start)).toEqual(Array.from({ length: 101 - start }, (_, i) => start + i));
    }
    expect(held.from(101)).toBeUndefined();
  });

  it('forgets what is acknowledged and nothing else, and goes on numbering', async () => {
    const held = new MemoryUnacknowledged();
    await held.add(chunk(1, 10));
    await held.add(chunk(11, 10));
    held.forgetBefore(14);
    expect([held.first, held.size]).toEqual([14, 7]);
    expect(numbersFrom(held, 14)).toEqual([14, 15, 16, 17, 18, 19, 20]);
    held.forgetBefore(3);
    expect(held.first).toBe(14);
    held.forgetBefore(1_000);
    expect([held.first, held.size, held.from(21)]).toEqual([21, 0, undefined]);
    await held.add(chunk(21, 1));
    expect(numbersFrom(held, 21)).toEqual([21]);
  });

  it('has room up to its limits in messages and bytes', async () => {
    const few = new MemoryUnacknowledged({ messages: 15, bytes: 1_000_000 });
    await few.add(chunk(1, 10));
    expect(few.hasRoom).toBe(true);
    await few.add(chunk(11, 10));
    expect(few.hasRoom).toBe(false);
    few.forgetBefore(7);
    expect(few.hasRoom).toBe(true);
    const small = new MemoryUnacknowledged({ messages: 1_000, bytes: 100 });
    await small.add(chunk(1, 10));
    expect(small.hasRoom).toBe(false);
    small.forgetBefore(11);
    expect(small.hasRoom).toBe(true);
  });

  it('names a stream of its own', () => {
    const names = Array.from({ length: 20 }, () => new MemoryUnacknowledged().stream);
    expect(new Set(names).size).toBe(20);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{16,64}$/);
  });
});
