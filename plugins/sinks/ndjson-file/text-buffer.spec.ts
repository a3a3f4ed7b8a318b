import { describe, expect, it } from '@jest/globals';
import { TextBuffer } from './text-buffer.js';

describe('TextBuffer', () => {
  it('holds texts of any size one after the other, and nothing of before it was cleared', () => {
    const buffer = new TextBuffer();
    const texts = ['', 'a', 'ä', '漢'.repeat(30_000), '👍', '\ud800', 'x'.repeat(9 * 1024 * 1024), 'end'];
    for (let round = 0; round < 3; round += 1) {
      buffer.clear();
      for (const text of texts) buffer.append(text);
      expect(buffer.copy().equals(Buffer.from(texts.join('\n').replaceAll('\n', '')))).toBe(true);
    }
    buffer.clear();
    expect(buffer.copy()).toHaveLength(0);
  });

  it('gives copies that later texts do not change', () => {
    const buffer = new TextBuffer();
    buffer.append('first');
    const copy = buffer.copy();
    buffer.clear();
    buffer.append('other');
    expect(copy.toString()).toBe('first');
  });
});
