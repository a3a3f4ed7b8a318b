import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigFiles, MINIMAL_PIPELINE, placeAndCode, removeConfigFiles } from '../testing/config-files.js';
import { coreScalar } from './core-scalar.js';
import type { LoadedConfig } from './index.js';
import { interpolate } from './interpolate.js';

describe('interpolate', () => {
  const env = { A: 'x', EMPTY: '', REF: '${A}', DOLLAR: '$$' };

  it.each([
    ['plain', 'plain', false],
    ['${A}', 'x', true],
    ['a${A}b${A}', 'axbx', false],
    ['${A}${A}', 'xx', false],
    ['${EMPTY}', '', true],
    ['${EMPTY:-d}', 'd', true],
    ['${NONE:-}', '', true],
    ['${NONE:-a:b-c ?}', 'a:b-c ?', true],
    ['${A:?needed}', 'x', true],
    ['$${A}', '${A}', false],
    ['$$$${A}', '$${A}', false],
    ['$$${A}', '$x', false],
    ['cost: 5$ or $A', 'cost: 5$ or $A', false],
    ['${REF}', '${A}', true],
    ['${DOLLAR}', '$$', true],
  ])('makes of %s: %s', (template, text, whole) => {
    expect(interpolate(template, env)).toMatchObject({ text, whole, findings: [] });
  });

  it.each([
    ['${NONE}', 'CONFIG_UNSET_VARIABLE', 'The environment variable NONE is not set.'],
    [
      '${NONE:?give me a key}',
      'CONFIG_UNSET_VARIABLE',
      'The environment variable NONE is not set: give me a key.',
    ],
    ['${EMPTY:?}', 'CONFIG_UNSET_VARIABLE', 'The environment variable EMPTY is empty.'],
    ['${1A}', 'CONFIG_BAD_INTERPOLATION', 'What begins with "${" here is not a variable.'],
    ['${A', 'CONFIG_BAD_INTERPOLATION', 'What begins with "${" here is not a variable.'],
    ['${}', 'CONFIG_BAD_INTERPOLATION', 'What begins with "${" here is not a variable.'],
    ['${A-x}', 'CONFIG_BAD_INTERPOLATION', 'What begins with "${" here is not a variable.'],
    [
      '${NONE:-${A}}',
      'CONFIG_BAD_INTERPOLATION',
      'A variable cannot stand inside the default or the message of another one.',
    ],
  ])('refuses %s', (template, code, message) => {
    expect(interpolate(template, env).findings).toMatchObject([{ code, message }]);
  });

  it('shows variables in place of what came from the environment', () => {
    expect(interpolate('${A:-y}', env).shown).toBe('${A}');
    expect(interpolate('http://${A}:1', env).shown).toBe('http://${A}:1');
    expect(interpolate('${NONE:-y}', env).shown).toBeUndefined();
  });
});

describe('coreScalar', () => {
  it.each([
    ['12', 12],
    ['-012', -12],
    ['0x1F', 31],
    ['0o17', 15],
    ['1.5e3', 1500],
    ['.inf', Infinity],
    ['true', true],
    ['FALSE', false],
    ['~', null],
    ['', null],
    ['yes', 'yes'],
    ['1_000', '1_000'],
    ['[1]', '[1]'],
  ])('reads %s', (text, value) => {
    expect(coreScalar(text)).toBe(value);
  });
});

describe('variables in files', () => {
  let files: ConfigFiles;
  const load = (text: string, env: NodeJS.ProcessEnv = {}, pipeline = MINIMAL_PIPELINE): LoadedConfig => {
    files = new ConfigFiles({ 'gateway.yaml': text, 'pipelines/activity.yaml': pipeline });
    return files.load(env);
  };
  afterEach(removeConfigFiles);

  it('get their type from the schema: numbers and flags where those belong', () => {
    const { config, problems } = load(
      'http:\n  port: ${P}\nsettings:\n  enable_activitymonitor_ingestion: "${F}"\n  activitymonitor_batch_size: ${B:-50}\n',
      { P: '9090', F: 'false' },
    );
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      http: { port: 9090 },
      settings: { enable_activitymonitor_ingestion: false, activitymonitor_batch_size: 50 },
    });
  });

  it.each(['12345678', '007', '1e5', 'true', 'null', '~', '0x10', '.5'])(
    'keep a secret that looks like something else (%s) a text',
    (secret) => {
      const { config, problems } = load(
        'admin:\n  api_key: ${KEY:-}\nclickhouse:\n  password: ${PASSWORD}\n',
        { KEY: secret, PASSWORD: secret, SINK: secret },
        `${MINIMAL_PIPELINE}    with:\n      password: \${SINK}\n`,
      );
      expect(problems).toEqual([]);
      expect(config?.admin.apiKey).toBe(secret);
      expect(config?.clickhouse.password).toBe(secret);
      expect(config?.pipelines[0]?.sinks[0]?.with.password).toBe(secret);
    },
  );

  it('cannot change the structure of a file', () => {
    const value = 'x"\n  password: injected\nadmin: { api_key: y } # ${A}';
    const { config, problems } = load('clickhouse:\n  username: ${U}\n', { U: value });
    expect(problems).toEqual([]);
    expect(config?.clickhouse).toMatchObject({ username: value, password: '' });
    expect(config?.admin).toEqual({});
  });

  it('that are empty count as not given', () => {
    const { config, problems } = load(
      'admin:\n  api_key: ${K:-}\nlistener:\n  tls:\n    cert_path: ${C:-}\n    key_path: ${C:-}\nclickhouse:\n  url: ${U:-}\n  http_port: ${P}\n',
      { P: '' },
    );
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ admin: {}, listener: { tls: {} }, clickhouse: { httpPort: 0 } });
    expect(config?.clickhouse).not.toHaveProperty('url');
  });

  it('that are empty leave a required key missing', () => {
    const { problems } = load('', {}, MINIMAL_PIPELINE.replace('name: activity', 'name: ${NAME:-}'));
    expect(problems.map(placeAndCode)).toEqual(['pipelines/activity.yaml:1:1 CONFIG_MISSING_KEY']);
  });

  it('that are not set are one problem each, with nothing that follows from it', () => {
    const { problems } = load(
      'http:\n  port: ${P}\n  host: a${H}\nlistener:\n  tls:\n    cert_path: ${C}\n    key_path: k\npipelines: ["${X}"]\n',
      {},
      MINIMAL_PIPELINE.replace('parsers.smb', '${PARSER:?which}'),
    );
    expect(problems.map(placeAndCode)).toEqual([
      'gateway.yaml:2:9 CONFIG_UNSET_VARIABLE',
      'gateway.yaml:3:9 CONFIG_UNSET_VARIABLE',
      'gateway.yaml:6:16 CONFIG_UNSET_VARIABLE',
      'gateway.yaml:8:13 CONFIG_UNSET_VARIABLE',
    ]);
    expect(problems[0]).toMatchObject({
      message: '`http.port`: The environment variable P is not set.',
      hint: 'Set P, or give it a default: ${P:-default}.',
    });
  });

  it('are never shown, nor are secrets of the file', () => {
    const { problems } = load(
      'http:\n  port: ${S}\nlog:\n  level: ${S}\nclickhouse:\n  url: ${S}\n  database: x-${S}\nadmin:\n  api_key: "S3cret ü"\nsettings:\n  activitymonitor_batch_size: ${N}\n',
      { S: 'S3cret value', N: '987654' },
      MINIMAL_PIPELINE.replace('activity', '${S}').replace('sinks.clickhouse', '${S}') +
        '    with: { password: 31337 }\ndead_letters: ${S}\nbuffer:\n  max_bytes: ${N}\n',
    );
    expect(problems.length).toBeGreaterThanOrEqual(8);
    const text = JSON.stringify(problems);
    for (const secret of ['S3cret', '987654', '31337']) expect(text).not.toContain(secret);
    expect(problems[0]?.message).toBe(
      '`http.port` must be a whole number between 0 and 65535, not the text in ${S}.',
    );
    expect(text).toContain('not the number in ${N}');
  });

  it('work in lists, in plugin ids and in options', () => {
    const { config, problems } = load(
      'pipelines:\n  - ${DIR}/*.yaml\n',
      { DIR: 'pipelines', SINK: 'sinks.clickhouse', DAYS: '30', LEVEL: '9' },
      MINIMAL_PIPELINE.replace(
        'use: parsers.smb',
        'use: parsers.smb\n    with: { max_event_age: "${DAYS}d" }',
      ).replace('sinks.clickhouse', '${SINK}\n    with: { level: "${LEVEL}", tags: ["${LEVEL}"] }'),
    );
    expect(problems).toEqual([]);
    expect(config?.pipelines[0]?.steps[0]?.with).toEqual({ max_event_age: '30d' });
    expect(config?.pipelines[0]?.sinks[0]?.with).toMatchObject({ level: 9, tags: ['9'] });
  });
});
