import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigFiles, placeAndCode, removeConfigFiles } from '../testing/config-files.js';
import type { LoadedConfig } from './index.js';

let files: ConfigFiles;
const load = (text: string, env: NodeJS.ProcessEnv = {}): LoadedConfig => {
  files = new ConfigFiles({ 'gateway.yaml': text });
  return files.load(env);
};
afterEach(removeConfigFiles);

describe('YAML', () => {
  it.each([
    ['a tab', 'http:\n\tport: 1\n', '2:1', /tab/],
    ['an open quote', 'http: "x\n', '2:1', /missing/],
    ['two documents', 'log: {}\n---\nhttp: {}\n', '2:1', /several documents/],
    ['a second colon', 'data_dir: a: b\n', '1:11', /second colon/],
    ['an unknown tag', 'data_dir: !secret x\n', '1:11', /tag/],
    ['an alias without anchor', 'data_dir: *S3cret\n', '1:11', /alias/],
    ['a reserved character', 'data_dir: @S3cret\n', '1:11', /begin with/],
    ['a variable in braces', 'http: { host: ${S3cret:-x}, port: 1 }\n', '1:16', /quotes/],
  ])('with %s is refused at its place, without quoting the file', (_, text, place, message) => {
    const { config, problems } = load(text);
    expect(config).toBeUndefined();
    expect(problems.map(placeAndCode)).toEqual([`gateway.yaml:${place} CONFIG_SYNTAX`]);
    expect(problems[0]?.message).toMatch(message);
    expect(JSON.stringify(problems)).not.toContain('S3cret');
  });

  it('reports a doubled key and checks the rest', () => {
    const { problems } = load('log: { level: info }\nlog: { level: x }\nhttp: { port: x }\n');
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:2:1 CONFIG_DUPLICATE_KEY',
      'gateway.yaml:3:15 CONFIG_WRONG_TYPE',
    ]);
  });

  it('takes anchors, and points to the alias', () => {
    expect(load('http: { host: &h 127.0.0.2 }\nlistener: { host: *h }\n').config).toMatchObject({
      http: { host: '127.0.0.2' },
      listener: { host: '127.0.0.2' },
    });
    const { problems } = load('data_dir: &d x\nhttp: { port: *d }\n');
    expect(problems.map(placeAndCode)).toEqual(['gateway.yaml:2:15 CONFIG_WRONG_TYPE']);
  });

  it('knows no merge keys', () => {
    const { problems } = load('http: &h { port: 1 }\nlog:\n  <<: *h\n');
    expect(problems).toMatchObject([
      { line: 3, column: 3, code: 'CONFIG_UNKNOWN_KEY', hint: expect.stringContaining('Merge keys') },
    ]);
  });

  it.each([
    ['inside its own anchor', 'pipelines: &a [*a, *a]\n'],
    [
      'that multiply',
      `a: &a [1,1,1,1,1,1,1,1,1,1]\n${'abcdefg'
        .split('')
        .map((c, i, all) =>
          i === 0
            ? ''
            : `${c}: &${c} [${Array(10)
                .fill(`*${all[i - 1]!}`)
                .join()}]\n`,
        )
        .join('')}`,
    ],
  ])('bounds aliases %s', (_, text) => {
    const { problems } = load(text);
    expect(problems.some(({ code }) => code === 'CONFIG_SYNTAX')).toBe(true);
  });

  it('reads by YAML 1.2: yes is a text and 017 is seventeen', () => {
    const { problems } = load('settings: { enable_activitymonitor_ingestion: yes }\nhttp: { port: 017 }\n');
    expect(problems.map(({ message }) => message)).toEqual([
      '`settings.enable_activitymonitor_ingestion` must be true or false, not the text "yes".',
    ]);
  });

  it('counts lines with CRLF and a byte order mark, and columns of Unicode', () => {
    const { problems } = load('\ufeff# ä\r\nlog: {}\r\nhttp: { host: "ö", prt: 1 }\r\n');
    expect(problems.map(placeAndCode)).toEqual(['gateway.yaml:3:20 CONFIG_UNKNOWN_KEY']);
  });

  it('wants a section at the top', () => {
    expect(load('just text\n').problems).toMatchObject([
      { line: 1, column: 1, code: 'CONFIG_WRONG_TYPE', message: expect.stringContaining('The file must be') },
    ]);
  });

  it('wants keys that are text', () => {
    expect(load('? [a]\n: 1\n').problems.map(({ code }) => code)).toEqual(['CONFIG_SYNTAX']);
  });
});
