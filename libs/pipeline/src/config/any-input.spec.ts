import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFiles, removeConfigFiles } from '../testing/config-files.js';

const files = new ConfigFiles();
afterAll(removeConfigFiles);

/** Loads a text both ways; what comes back is either a configuration or problems with places. */
function expectAnswer(text: string, env: NodeJS.ProcessEnv = {}): void {
  writeFileSync(join(files.directory, 'any.yaml'), text);
  const { config, problems } = files.load(env, 'any.yaml');
  expect(config === undefined).toBe(problems.length > 0);
  for (const { line, column, message } of [...problems, ...files.validate('any.yaml', env).problems]) {
    expect(line).toBeGreaterThan(0);
    expect(column).toBeGreaterThan(0);
    expect(message).not.toMatch(/undefined|\[object/);
  }
}

const key = fc.constantFrom(
  'http',
  'port',
  'log',
  'level',
  'name',
  'source',
  'sinks',
  'use',
  'with',
  'buffer',
  'x',
  '<<',
);
const scalar = fc.oneof(
  fc.constantFrom(
    '${A}',
    '${',
    '$$',
    '${A:-1}',
    'sinks.file',
    'sources.nam_tls',
    '',
    null,
    true,
    1.5,
    70_000,
  ),
  fc.integer(),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(key, tie('tree')),
  ),
}));

describe('any file', () => {
  it('of any text gets an answer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => expectAnswer(text)),
      {
        numRuns: 200,
      },
    );
  });

  it('of any structure gets an answer', () => {
    const value = fc.dictionary(key, tree, { minKeys: 1 });
    fc.assert(
      fc.property(value, fc.option(fc.string(), { nil: undefined }), (content, variable) =>
        expectAnswer(JSON.stringify(content), variable === undefined ? {} : { A: variable }),
      ),
      { numRuns: 200 },
    );
  });

  it('shows no value of a variable, wherever it stands', () => {
    const secret = 'S3cret-Val';
    fc.assert(
      fc.property(fc.dictionary(key, tree, { minKeys: 1 }), (content) => {
        writeFileSync(join(files.directory, 'any.yaml'), JSON.stringify(content));
        expect(JSON.stringify(files.validate('any.yaml', { A: secret }).problems)).not.toContain(secret);
      }),
      { numRuns: 100 },
    );
  });
});
