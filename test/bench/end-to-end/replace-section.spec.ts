import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { replaceSection } from './replace-section.js';

describe('replaceSection', () => {
  const document = readFileSync('docs/reference/performance.md', 'utf8');

  it('puts the results into docs/reference/performance.md, also a second time', () => {
    const once = replaceSection(document, 'RESULTS $1\n');
    expect(once).toContain('RESULTS $1');
    expect(replaceSection(once, 'AGAIN')).not.toContain('RESULTS');
    expect(once.split('\n')[0]).toBe(document.split('\n')[0]);
  });

  it('refuses a document without the marks', () => {
    expect(() => replaceSection('# A', 'x')).toThrow('lacks');
  });
});
