import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigFiles, MINIMAL_PIPELINE, placeAndCode, removeConfigFiles } from '../testing/config-files.js';
import type { ValidatedFile } from './index.js';

let files: ConfigFiles;
const check = (text: string, env: NodeJS.ProcessEnv = {}): ValidatedFile => {
  files = new ConfigFiles({ 'p.yaml': text });
  return files.validate('p.yaml', env);
};
afterEach(removeConfigFiles);

const places = ({ problems }: ValidatedFile): string[] => problems.map(placeAndCode);

describe('a pipeline file', () => {
  it('is told apart by what it holds', () => {
    expect(check(MINIMAL_PIPELINE)).toMatchObject({ kind: 'pipeline', pipelines: 1, problems: [] });
    expect(check('name: x\n')).toMatchObject({ kind: 'gateway', pipelines: 0 });
    expect(check('log: { level: debug }\n')).toMatchObject({ kind: 'gateway', pipelines: 1, problems: [] });
  });

  it('names what is missing at the parent', () => {
    expect(places(check('source:\n  with: {}\n'))).toEqual([
      'p.yaml:1:1 CONFIG_MISSING_KEY',
      'p.yaml:1:1 CONFIG_MISSING_KEY',
      'p.yaml:1:1 CONFIG_MISSING_KEY',
    ]);
    const { problems } = check(`${MINIMAL_PIPELINE}  - name: x\n`);
    expect(problems).toMatchObject([{ line: 8, column: 5, message: '`sinks[1].use` is missing.' }]);
  });

  it('points to a key that is there without a value', () => {
    expect(places(check(MINIMAL_PIPELINE.replace('name: activity', 'name:')))).toEqual([
      'p.yaml:1:1 CONFIG_MISSING_KEY',
    ]);
    expect(places(check(MINIMAL_PIPELINE.replace('use: sources.nam_tls', 'use:')))).toEqual([
      'p.yaml:3:3 CONFIG_MISSING_KEY',
    ]);
  });

  it('reports a key that nobody knows even when its variable is not set', () => {
    expect(places(check(MINIMAL_PIPELINE.replace('steps:', 'stps: ${NONE}\nsteps:')))).toEqual([
      'p.yaml:4:1 CONFIG_UNKNOWN_KEY',
      'p.yaml:4:7 CONFIG_UNSET_VARIABLE',
    ]);
  });

  it('wants a sink', () => {
    const { problems } = check('name: a\nsource: { use: sources.nam_tls }\nsinks: []\n');
    expect(problems).toMatchObject([
      {
        line: 3,
        column: 8,
        code: 'CONFIG_OUT_OF_RANGE',
        message: '`sinks` must be a list of at least 1, not a list of 0.',
      },
    ]);
  });

  it.each([
    ['Activity', 'CONFIG_WRONG_FORMAT'],
    ['a'.repeat(65), 'CONFIG_OUT_OF_RANGE'],
    ['7', 'CONFIG_WRONG_TYPE'],
  ])('refuses the name %s', (name, code) => {
    expect(places(check(MINIMAL_PIPELINE.replace('activity', name)))).toEqual([`p.yaml:1:7 ${code}`]);
  });

  it('suggests the nearest plugin of the kind', () => {
    const { problems } = check(MINIMAL_PIPELINE.replace('parsers.smb', 'parser.smb'));
    expect(problems).toMatchObject([
      {
        code: 'CONFIG_UNKNOWN_PLUGIN',
        message: '`steps[0].use` names "parser.smb", and there is no such plugin.',
        hint: 'Did you mean "parsers.smb"?',
      },
    ]);
    expect(check(MINIMAL_PIPELINE.replace('parsers.smb', 'smb')).problems[0]?.hint).toBe(
      'Did you mean "parsers.smb"?',
    );
    expect(check(MINIMAL_PIPELINE.replace('parsers.smb', 'kafka')).problems[0]?.hint).toBe(
      'Known parsers: parsers.old, parsers.smb.',
    );
  });

  it('refuses a plugin of another kind in a place', () => {
    const { problems } = check(MINIMAL_PIPELINE.replace('parsers.smb', 'sinks.file'));
    expect(problems).toMatchObject([
      {
        line: 5,
        column: 10,
        code: 'CONFIG_WRONG_PLUGIN_KIND',
        message: expect.stringContaining('a sink, where a parser'),
      },
    ]);
  });

  it('refuses a source that must not run in every reactor', () => {
    const { problems } = check(MINIMAL_PIPELINE.replace('sources.nam_tls', 'sources.lone'));
    expect(problems).toMatchObject([
      { line: 3, code: 'CONFIG_SOURCE_INSTANCES', message: expect.stringContaining('instances: one') },
    ]);
  });

  it("checks plugins' options at their places", () => {
    const result = check(`${MINIMAL_PIPELINE}    with:
      compres: true
      level: 12
      mode: fats
      tags: [a, 1]
  - use: sinks.file
    name: copy
`);
    expect(places(result)).toEqual([
      'p.yaml:9:7 CONFIG_UNKNOWN_KEY',
      'p.yaml:10:14 CONFIG_OUT_OF_RANGE',
      'p.yaml:11:13 CONFIG_UNKNOWN_VALUE',
      'p.yaml:12:17 CONFIG_WRONG_TYPE',
      'p.yaml:13:5 CONFIG_MISSING_KEY',
    ]);
    expect(result.problems.map(({ message }) => message)).toEqual([
      '`sinks[0].with.compres` is not a known key.',
      '`sinks[0].with.level` must be a whole number between 1 and 9, not the number 12.',
      '`sinks[0].with.mode` must be "fast" or "careful", not the text "fats".',
      '`sinks[0].with.tags[1]` must be text, not the number 1.',
      '`sinks[1].with.path` is missing.',
    ]);
  });

  it('wants different names of instances', () => {
    const { problems } = check(
      `${MINIMAL_PIPELINE}  - { use: sinks.clickhouse }\n  - { use: sinks.file, name: smb, with: { path: x } }\n`,
    );
    expect(problems).toMatchObject([
      {
        line: 8,
        column: 12,
        code: 'CONFIG_DUPLICATE_NAME',
        hint: 'Give one of the two a `name` of its own.',
      },
      { line: 9, column: 30, message: 'The name "smb" is used already by the parser in line 5.' },
    ]);
  });

  it('sends dead letters to a sink of its own', () => {
    const { problems } = check(`${MINIMAL_PIPELINE}dead_letters: smb\n`);
    expect(problems).toMatchObject([
      { line: 8, column: 15, code: 'CONFIG_UNKNOWN_SINK', hint: 'Sinks of this pipeline: clickhouse.' },
    ]);
  });

  it.each([
    ['1MiB', 1024 * 1024],
    ['2GB', 2e9],
    ['1.5 MiB', 1.5 * 1024 * 1024],
    ['1048576', 1024 * 1024],
    ['${SIZE}', 3 * 1024 * 1024],
  ])('takes %s as a size', (size, bytes) => {
    files = new ConfigFiles({
      'pipelines/activity.yaml': `${MINIMAL_PIPELINE}buffer: { max_bytes: "${size}" }\n`,
    });
    const { config, problems } = files.load({ SIZE: '3145728' });
    expect(problems).toEqual([]);
    expect(config?.pipelines[0]?.buffer.maxBytes).toBe(bytes);
  });

  it.each([
    ['12XB', 'CONFIG_WRONG_FORMAT'],
    ['1000', 'CONFIG_OUT_OF_RANGE'],
    ['"1000"', 'CONFIG_OUT_OF_RANGE'],
    ['true', 'CONFIG_WRONG_TYPE'],
  ])('refuses %s as a size', (size, code) => {
    expect(places(check(`${MINIMAL_PIPELINE}buffer: { max_bytes: ${size} }\n`))).toEqual([
      `p.yaml:8:22 ${code}`,
    ]);
  });

  it('warns of a deprecated plugin and of no parser', () => {
    const old = check(MINIMAL_PIPELINE.replace('parsers.smb', 'parsers.old'));
    expect(old.problems).toEqual([]);
    expect(old.warnings.map(placeAndCode)).toEqual(['p.yaml:5:10 CONFIG_PLUGIN_DEPRECATED']);
    const none = check(MINIMAL_PIPELINE.replace('steps:\n  - use: parsers.smb\n', ''));
    expect(none).toMatchObject({ pipelines: 1, warnings: [{ code: 'CONFIG_NO_PARSER' }] });
  });
});
