import { describe, expect, it } from '@jest/globals';
import { CORPORA, makeLines, type CorpusName, type LineCorpus } from './corpora.js';

function linesOf({ bytes, ends }: LineCorpus): string[] {
  return [...ends].map((end, i) => bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], end));
}

const lines = (name: CorpusName): string[] => linesOf(makeLines(name, 500_000));
const mean = (texts: readonly string[]): number => Buffer.byteLength(texts.join('')) / texts.length;

describe('inputs of the benchmark', () => {
  it.each(Object.keys(CORPORA) as CorpusName[])('%s: its ends are where its lines end', (name) => {
    for (const line of lines(name)) expect(line.indexOf('\n')).toBe(line.length - 1);
  });

  it('makes compact file events of about 370 bytes', () => {
    const all = lines('compact');
    expect(mean(all)).toBeGreaterThan(350);
    expect(mean(all)).toBeLessThan(390);
    for (const line of all) {
      const event = JSON.parse(line) as Record<string, string>;
      expect(event).toMatchObject({ ActivityType: 'FileSystem' });
      expect(event['UserName'] ?? event['UserSid']).toBeTruthy();
    }
  });

  it('makes ASCII of them without breaking them', () => {
    for (const line of lines('ascii')) {
      expect(line).toMatch(/^[\x20-\x7e]*\n$/);
      expect(JSON.parse(line)).toMatchObject({ ActivityType: 'FileSystem' });
    }
  });

  it('makes Copilot records of 16 KiB and more', () => {
    for (const line of lines('copilot')) {
      expect(line.length).toBeGreaterThanOrEqual(16 * 1024);
      expect(JSON.parse(line)).toMatchObject({ ActivityType: 'Copilot' });
    }
  });
});
