import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import type { ParserDefinition } from '../api/index.js';
import { createTestContext } from './test-context.js';
import { parseLine, splitLines, TEST_RECEIVED_AT, type LineOutcome, type ReadEvent } from './parse-line.js';
import { plainRecord } from './plain-record.js';
import { validateOptions } from './validate-options.js';

/** One folder below `testcases/`. */
export interface GoldenCase {
  readonly name: string;
  readonly folder: URL;
  /** Options of `options.yaml`, not yet validated; empty without that file. */
  readonly options: Record<string, unknown>;
  /** Lines of `input.jsonl` or `input.txt`, without their ends. */
  readonly lines: readonly Buffer[];
}

/** What a test may choose of a golden run. */
export interface GoldenOptions {
  /** Reads the lines, as the source that the parser is for does. */
  readonly read: ReadEvent;
  /** When the lines are received, and the instance's clock: milliseconds since 1970-01-01 UTC; 2026-11-20 12:00 by default. */
  readonly receivedAt?: number;
}

/** Reads the cases of `<folder>/testcases/`, sorted by name; none when there is no such folder. */
export function readGoldenCases(folder: URL): GoldenCase[] {
  const root = new URL('testcases/', asFolder(folder));
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readCase(entry.name, new URL(`${entry.name}/`, root)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Declares one test for each case of `<folder>/testcases/`: every line of the input, received alone, has to give what
 * the same line of `expected.jsonl` says: `{"record":{...}}`, `{"reject":{"stage","code","field"}}` or
 * `{"unclaimed":true}`. In records a bigint is its text and a Map an object. With `GOLDEN_UPDATE=1` in the environment
 * the expected files are written instead of read.
 * @param folder the plugin's folder, such as `new URL('.', import.meta.url)`
 */
export function runGoldenCases(folder: URL, definition: ParserDefinition, options: GoldenOptions): void {
  const { read, receivedAt = TEST_RECEIVED_AT } = options;
  const cases = readGoldenCases(folder);
  describe(`${definition.id} testcases`, () => {
    it('has cases', () => expect(cases.length).toBeGreaterThan(0));
    it.each(cases.map((each) => [each.name, each] as const))('%s', (_name, each) => {
      const context = createTestContext({ now: receivedAt, eventTypes: definition.eventTypes });
      const transform = definition.create(validateOptions(definition, each.options) as never, context);
      const actual = each.lines.map((line) => expectation(parseLine(transform, line, read, receivedAt)));
      const expectedFile = new URL('expected.jsonl', each.folder);
      if (process.env['GOLDEN_UPDATE'] === '1') writeExpected(expectedFile, actual);
      expect(actual).toEqual(readExpected(expectedFile));
    });
  });
}

function readCase(name: string, folder: URL): GoldenCase {
  const optionsFile = new URL('options.yaml', folder);
  const options: unknown = existsSync(optionsFile) ? parse(readFileSync(optionsFile, 'utf8')) : {};
  const json = new URL('input.jsonl', folder);
  const input = existsSync(json) ? json : new URL('input.txt', folder);
  return {
    name,
    folder,
    options: (options ?? {}) as Record<string, unknown>,
    lines: splitLines(readFileSync(input)),
  };
}

function expectation(outcome: LineOutcome): object {
  if (outcome.kind === 'unclaimed') return { unclaimed: true };
  if (outcome.kind === 'reject') return { reject: outcome.reject };
  return { record: plainRecord(outcome.event.record ?? {}) };
}

function readExpected(file: URL): unknown[] {
  return splitLines(readFileSync(file)).map((line): unknown => JSON.parse(line.toString()));
}

function writeExpected(file: URL, outcomes: readonly object[]): void {
  writeFileSync(file, outcomes.map((each) => `${JSON.stringify(each)}\n`).join(''));
}

function asFolder(url: URL): URL {
  return url.href.endsWith('/') ? url : new URL(`${url.href}/`);
}
