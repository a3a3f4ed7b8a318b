// The generated pages of docs/reference, as the built program says them. Written anew by
// UPDATE_DOCS=1 npm test -- test/e2e/reference-pages.spec.ts
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { pollUntil } from '../support/poll.js';
import { PROGRAM, startGateway, type TestGateway } from '../support/gateway.js';

const GENERATED =
  '<!-- Generated from the program: UPDATE_DOCS=1 npm test -- test/e2e/reference-pages.spec.ts -->';

interface SettingView {
  readonly key: string;
  readonly default: number | boolean;
  readonly min?: number;
  readonly max?: number;
  readonly unit?: string;
  readonly description: string;
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
}, 60_000);
afterAll(() => gateway.dispose(), 60_000);

describe('the generated pages of docs/reference', () => {
  it('settings.md has the settings and flags of the program', async () => {
    const settings = (await gateway.rest('GET', '/api/v1/settings')).body as SettingView[];
    const flags = (await gateway.rest('GET', '/api/v1/feature-flags')).body as SettingView[];
    const rows = settings.map((each) => [
      code(each.key),
      code(each.default),
      `${String(each.min)} to ${String(each.max)} ${each.unit ?? ''}`,
      each.description,
    ]);
    await expectPage('settings', [
      '# Settings',
      'A change acts at once, in every reactor. [Administer](../how-to/administer.md#settings) shows how to make one.',
      'A value in `config/gateway.yaml` replaces the default, and a value that was set over REST replaces both.',
      '## Numbers',
      table(['setting', 'default', 'range', 'meaning'], rows),
      '## Flags',
      table(
        ['flag', 'default', 'meaning'],
        flags.map((each) => [code(each.key), code(each.default), each.description]),
      ),
    ]);
  });

  it('configuration.md has every key of gateway.yaml and of a pipeline', async () => {
    const read = async (name: string): Promise<Schema> =>
      JSON.parse(await readFile(`config/schema/${name}.schema.json`, 'utf8')) as Schema;
    const header = ['key', 'type', 'default', 'meaning'];
    await expectPage('configuration', [
      '# Configuration',
      'Both files may read environment variables: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`.',
      '`gateway validate` names every problem with file, line and column. Editors read the JSON schemas in `config/schema`.',
      '## gateway.yaml',
      table(header, keysOf(await read('gateway'))),
      '## A pipeline',
      'The README of each plugin lists the options below `with`.',
      table(header, keysOf(await read('pipeline'))),
    ]);
  });

  it('metrics.md has every metric of a gateway', async () => {
    // Reactors tell theirs after they are ready.
    const text = await pollUntil(
      'the metrics of the reactors',
      async () => (await fetch(`${gateway.httpUrl}/metrics`)).text(),
      (page) => page.includes('gateway_agent_connections ') && page.includes('gateway_spool_'),
    );
    const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]));
    const rows = [...text.matchAll(/^# HELP (gateway_\S+) (.*)$/gm)]
      .sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1))
      .map(([, name = '', help = '']) => [code(name), kinds.get(name) ?? '', help]);
    expect(rows.length).toBeGreaterThan(50);
    await expectPage('metrics', [
      '# Metrics',
      '`GET /metrics` gives them in the text format of Prometheus, without a key. Beside them it has the usual ones of a\n' +
        'Node.js process, `process_` and `nodejs_`, of the control plane.',
      table(['metric', 'type', 'meaning'], rows),
    ]);
  });

  it('cli.md has the help of every command and action', async () => {
    const overview = await help();
    const parts = [
      '# Commands',
      'In a checkout, `npm run gateway --` stands for `gateway`.',
      fence(overview),
    ];
    for (const command of commandsOf(overview)) {
      const text = await help(command);
      parts.push(`## gateway ${command}`, fence(text));
      for (const action of commandsOf(text)) {
        parts.push(`### gateway ${command} ${action}`, fence(await help(command, action)));
      }
    }
    expect(parts.filter((part) => part.startsWith('## ')).length).toBeGreaterThan(5);
    await expectPage('cli', parts);
  });
});

async function expectPage(name: string, parts: readonly string[]): Promise<void> {
  const path = `docs/reference/${name}.md`;
  const [title = '', ...rest] = parts;
  const page = await format([title, GENERATED, ...rest].join('\n\n'), {
    parser: 'markdown',
    proseWrap: 'preserve',
  });
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(path, page);
  expect(await readFile(path, 'utf8').catch(() => '')).toBe(page);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function fence(text: string): string {
  return `\`\`\`text\n${text.trim()}\n\`\`\``;
}

/** Keys with their sections before them, `a.b`; `[]` stands for the entries of a list. */
function keysOf(schema: Schema, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`;
    const list = property.items?.properties === undefined ? [] : keysOf(property.items, `${key}[].`);
    const { default: given } = property;
    const shown = given === undefined || JSON.stringify(given) === '{}' ? '' : code(given);
    return [
      [code(key), typeOf(property), shown, property.description ?? ''],
      ...keysOf(property, `${key}.`),
      ...list,
    ];
  });
}

/** Without the text that a variable may stand for a value of any type. */
function typeOf(schema: Schema): string {
  const choices = (schema.anyOf ?? []).filter(({ pattern }) => pattern?.startsWith('\\$') !== true);
  if (schema.anyOf !== undefined) return [...new Set(choices.map(typeOf))].join(' or ');
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.const !== undefined) return code(schema.const);
  const { minimum, maximum } = schema;
  const range =
    minimum === undefined ? '' : maximum === undefined ? ` from ${minimum}` : ` ${minimum} to ${maximum}`;
  return [schema.type ?? ''].flat().join(' or ') + range;
}

async function help(...command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...command, '--help']);
  return stdout;
}

/** Names below "Commands:", but for those that only show help. */
function commandsOf(text: string): string[] {
  const [, list = ''] = text.split('\nCommands:\n');
  const names = [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help' && name !== 'version');
}
