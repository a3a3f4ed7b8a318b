import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CONFIG_CODES, ProblemList } from './problems.js';

describe('docs/reference/errors.md', () => {
  it('explains every code of the configuration, and no other', () => {
    const text = readFileSync('docs/reference/errors.md', 'utf8');
    const documented = [...text.matchAll(/^\| `(CONFIG_[A-Z_]+)` \|/gm)].map((match) => match[1]);
    expect(documented.sort()).toEqual([...CONFIG_CODES].sort());
  });
});

describe('ProblemList', () => {
  it('holds a problem at a place once, in the order of files and places', () => {
    const list = new ProblemList();
    const finding = { code: 'CONFIG_SYNTAX', message: 'm' } as const;
    list.add('b', { line: 2, column: 1 }, finding);
    list.add('a', { line: 1, column: 1 }, finding);
    list.add('b', { line: 1, column: 9 }, finding);
    list.add('b', { line: 2, column: 1 }, finding);
    expect(list.list().map(({ file, line }) => `${file}${line}`)).toEqual(['b1', 'b2', 'a1']);
    expect(list.count).toBe(3);
  });
});
