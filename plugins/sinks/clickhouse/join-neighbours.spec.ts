import { describe, expect, it } from '@jest/globals';
import { joinNeighbours } from './join-neighbours.js';

describe('joinNeighbours', () => {
  it('joins what stands side by side, and only that', () => {
    const buffer = Buffer.from('one two three four five');
    const other = Buffer.from('six');
    const views = [
      buffer.subarray(0, 4),
      buffer.subarray(4, 8),
      buffer.subarray(14, 19),
      buffer.subarray(19),
    ];
    const rowRanges = joinNeighbours([...views, other, buffer.subarray(8, 14)].map((bytes) => ({ bytes })));
    expect(rowRanges.map(String)).toEqual(['one two ', 'four five', 'six', 'three ']);
    expect(rowRanges[0]?.buffer).toBe(buffer.buffer);
  });

  it('copies nothing and gives nothing for nothing', () => {
    const bytes = Buffer.from('one');
    expect(joinNeighbours([{ bytes }])[0]).toBe(bytes);
    expect(joinNeighbours([])).toEqual([]);
  });
});
