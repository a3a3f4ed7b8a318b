import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPluginRegistry } from '../plugins.js';
import { programRoot, resolveConfigPath } from './config-path.js';
import { printError } from './print-error.js';
import { validateCommand } from './validate.command.js';

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'gateway-validate-')));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function validate(argv: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await validateCommand({
    env,
    cwd: directory,
    registry: createPluginRegistry(),
    stdout: (text) => out.push(text),
    stderr: (text) => err.push(text),
  })
    .run(argv)
    .catch(printError);
  return { code, stdout: out.join(''), stderr: err.join('') };
}

function write(path: string, text: string): void {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), text);
}

describe('gateway validate', () => {
  it('finds the shipped configuration without problems, and without warnings', async () => {
    const shipped = join(programRoot(), 'config/gateway.yaml');
    expect(await validate([])).toEqual({
      code: 0,
      stdout: expect.stringContaining(', 1 pipeline\n'),
      stderr: '',
    });
    expect(await validate([shipped])).toMatchObject({ code: 0 });
    expect(await validate([join(programRoot(), 'config/pipelines/activity.yaml')])).toMatchObject({
      code: 0,
    });
  });

  it('prints every problem with its place and its hint, and the count', async () => {
    write(
      'config/gateway.yaml',
      'htp: {}\nhttp: { port: ${PORT} }\nlog: { level: inof }\n'.replace('${PORT}', '"${PORT}"'),
    );
    write('config/pipelines/activity.yaml', 'name: a\nsource: { use: sources.nam_tsl }\nsinks: []\n');
    const { code, stdout, stderr } = await validate([], { PORT: 'S3cret' });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(
      'config/gateway.yaml:1:1: `htp` is not a known key. (CONFIG_UNKNOWN_KEY)\n    Did you mean "http"?\n',
    );
    expect(stderr).toContain('config/gateway.yaml:2:15: ');
    expect(stderr).toContain('    Did you mean "sources.nam_tls"?\n');
    expect(stderr).toMatch(/\n5 problems in 2 files\.\n$/);
    expect(stderr).not.toContain('S3cret');
  });

  it('checks a single pipeline, and the file that GATEWAY_CONFIG names', async () => {
    write('mine.yaml', 'name: a\nsource: { use: sources.nam_tls }\nsinks: [{ use: parsers.smb }]\n');
    expect(await validate(['mine.yaml'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('mine.yaml:3:16: '),
    });
    expect((await validate([], { GATEWAY_CONFIG: 'nowhere.yaml' })).stderr).toMatch(
      /^nowhere\.yaml: The file cannot be read: there is no such file\. \(CONFIG_UNREADABLE\)\n/,
    );
  });

  it('says what a retention means, and warns of events that would be deleted at once', async () => {
    const retention = async (days: string): Promise<string> =>
      (await validate([], { CLICKHOUSE_RETENTION_DAYS: days, CLICKHOUSE_DEAD_LETTER_RETENTION_DAYS: '1' }))
        .stdout;
    expect(await retention('30')).toMatch(
      /\nRetention: delete events after 30 days, delete dead letters after 1 day\.\n$/,
    );
    expect(await retention('0')).toContain('Retention: keep events (no TTL), delete dead letters');
    expect(await retention('36500')).toContain('Retention: keep events (no TTL), delete dead letters');
    write('config/gateway.yaml', 'clickhouse: { retention_days: 30 }\n');
    const step = (age: string): string =>
      `  - { use: parsers.smb, name: a${age}, with: { max_event_age: ${age} } }\n`;
    write(
      'config/pipelines/a.yaml',
      `name: a\nsource: { use: sources.nam_tls }\nsteps:\n${['30d', '0d', '721h', '720h'].map(step).join('')}sinks: [{ use: sinks.null }]\n`,
    );
    const { code, stderr } = await validate([]);
    expect(code).toBe(0);
    expect(stderr.match(/warning: .*/g)).toEqual(
      [1, 2].map(
        (index) =>
          `warning: \`steps[${index}].with.max_event_age\` takes events older than the 30 days of \`clickhouse.retention_days\`: ClickHouse deletes them as soon as they are stored. (CONFIG_EVENT_AGE_TOO_LONG)`,
      ),
    );
    expect(stderr).toContain('config/pipelines/a.yaml:5:');
  });

  it('refuses wrong usage', async () => {
    expect(await validate(['--nope'])).toMatchObject({ code: 2 });
    expect(await validate(['a', 'b'])).toMatchObject({ code: 2 });
  });

  it('writes the schemas that are in config/schema', async () => {
    expect(await validate(['--write-schema', 'out'])).toMatchObject({ code: 0 });
    for (const name of ['gateway.schema.json', 'pipeline.schema.json']) {
      const shipped = readFileSync(join(programRoot(), 'config/schema', name), 'utf8');
      const fresh = readFileSync(join(directory, 'out', name), 'utf8');
      // If this fails: npm run gateway -- validate --write-schema config/schema
      expect(JSON.parse(shipped)).toEqual(JSON.parse(fresh));
    }
  });
});

describe('resolveConfigPath', () => {
  it('takes GATEWAY_CONFIG, then the working directory, then the program', () => {
    expect(resolveConfigPath({ GATEWAY_CONFIG: 'x.yaml' }, directory)).toBe(join(directory, 'x.yaml'));
    expect(resolveConfigPath({ GATEWAY_CONFIG: '' }, directory)).toBe(
      join(programRoot(), 'config/gateway.yaml'),
    );
    write('config/gateway.yaml', '');
    expect(resolveConfigPath({}, directory)).toBe(join(directory, 'config/gateway.yaml'));
  });
});
