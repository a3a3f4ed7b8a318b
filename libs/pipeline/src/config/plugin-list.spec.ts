import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConfigFiles,
  placeAndCode,
  removeConfigFiles,
  specRegistry,
  specSettings,
} from '../testing/config-files.js';
import { importListedPlugins, loadGatewayConfig, type LoadedConfig } from './index.js';

afterEach(removeConfigFiles);

/** The source text of a package's module; a definition as a stranger's build writes it. */
const plugin = (
  id: string,
  change = '',
): string => `{ id: '${id}', kind: '${id.slice(0, id.indexOf('.') - 1)}',
  apiVersion: 1, stability: 'beta', summary: 'For specs.', eventTypes: [], create: () => ({}),
  configSchema: { type: 'object', additionalProperties: false, properties: { depth: { type: 'integer' } } }, ${change} }`;
const module = (...plugins: string[]): string => `export const plugins = [${plugins.join(', ')}];\n`;
const manifest = (name: string, more: object = {}): string =>
  JSON.stringify({ name, version: '1.2.3', type: 'module', exports: './main.js', ...more });
const PIPELINE = `name: activity
source: { use: sources.nam_tls }
steps: [{ use: parsers.door, with: { depth: 2 } }]
sinks: [{ use: sinks.clickhouse }]
`;

async function load(files: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<LoadedConfig> {
  const { directory } = new ConfigFiles(files);
  const path = 'conf/gateway.yaml';
  const program = join(directory, 'program/main.js');
  const plugins = await importListedPlugins(path, env, { cwd: directory, program });
  return loadGatewayConfig(path, env, specRegistry, {
    settingsSchema: specSettings,
    cwd: directory,
    plugins,
  });
}

/** A configuration that lists one package, or others. */
const listing = (files: Record<string, string>, list = '[door]'): Record<string, string> => ({
  'conf/gateway.yaml': `log: { level: info }\nplugins: ${list}\n`,
  'conf/pipelines/activity.yaml': PIPELINE,
  ...files,
});

describe('plugins: in gateway.yaml', () => {
  it('takes a package beside the file before one beside the program', async () => {
    const { config, problems } = await load(
      listing({
        'conf/node_modules/door/package.json': manifest('door'),
        'conf/node_modules/door/main.js': module(plugin('parsers.door')),
        'program/node_modules/door/package.json': manifest('door', { version: '9.9.9' }),
        'program/node_modules/door/main.js': module(plugin('parsers.other_door')),
      }),
    );
    expect(problems).toEqual([]);
    expect(config?.plugins).toEqual([
      {
        specifier: 'door',
        name: 'door',
        version: '1.2.3',
        url: expect.stringMatching(/^file:.*\/conf\/node_modules\/door\/main\.js$/),
        plugins: ['parsers.door'],
      },
    ]);
    expect(config?.pipelines[0]?.steps).toEqual([{ name: 'door', use: 'parsers.door', with: { depth: 2 } }]);
  });

  it('takes a package that only the program has, also a CommonJS one', async () => {
    const { config, problems } = await load(
      listing(
        {
          'program/node_modules/@acme/door/package.json': '{ "name": "@acme/door", "version": "2.0.0" }',
          'program/node_modules/@acme/door/index.js': `module.exports = Object.assign(() => 0, { plugins: [${plugin('parsers.door')}] });`,
        },
        "['@acme/door']",
      ),
    );
    expect(problems).toEqual([]);
    expect(config?.plugins).toMatchObject([{ name: '@acme/door', version: '2.0.0' }]);
  });

  it.each([
    [
      'the folder of a package',
      '../doors',
      'doors/package.json',
      manifest('door', { exports: { import: './lib.js' } }),
    ],
    [
      'the folder of a package with main',
      '../doors',
      'doors/package.json',
      manifest('door', { exports: undefined, main: 'lib.js' }),
    ],
    ['a module of a package', '../doors/lib.js', 'doors/package.json', manifest('door')],
    [
      'a module of a package whose name comes from a variable',
      '"${DOORS}"',
      'doors/package.json',
      manifest('door'),
    ],
  ])('takes a path: %s', async (_, path, file, text) => {
    const files = { [file]: text, 'doors/lib.js': module(plugin('parsers.door')) };
    const { config, problems } = await load(listing(files, `[${path}]`), { DOORS: '../doors/lib.js' });
    expect(problems).toEqual([]);
    expect(config?.plugins).toMatchObject([
      { name: 'door', version: '1.2.3', url: expect.stringMatching(/\/doors\/lib\.js$/) },
    ]);
  });

  it('follows the link that npm makes to a package under development', async () => {
    const { directory } = new ConfigFiles(
      listing({
        'src/door/package.json': manifest('door'),
        'src/door/main.js': module(plugin('parsers.door')),
      }),
    );
    mkdirSync(join(directory, 'conf/node_modules'));
    symlinkSync(join(directory, 'src/door'), join(directory, 'conf/node_modules/door'));
    const plugins = await importListedPlugins(
      'conf/gateway.yaml',
      {},
      { cwd: directory, program: directory },
    );
    expect(plugins.get('door')).toMatchObject({ name: 'door', plugins: ['parsers.door'] });
  });

  it.each([
    ['is not there', {}, 'PLUGIN_NOT_FOUND', 'is not installed'],
    [
      'belongs to another version of the API',
      module(plugin('parsers.door', 'apiVersion: 7')),
      'PLUGIN_API_VERSION',
      'has parsers.door for version 7 of the plugin API; this program has version 1.',
    ],
    ['throws', 'throw new Error("no licence");', 'PLUGIN_INVALID', 'cannot be imported: no licence'],
    ['needs what is not installed', 'import "lost-and-not-found";', 'PLUGIN_INVALID', 'cannot be imported: '],
    ['exports no plugins', 'export const plugin = {};', 'PLUGIN_INVALID', 'exports no plugins'],
    ['exports something else', 'export const plugins = [null];', 'PLUGIN_INVALID', 'without an id'],
    [
      'exports half a plugin',
      module(plugin('parsers.door', 'create: undefined')),
      'PLUGIN_INVALID',
      'without create()',
    ],
    [
      'has a parser without event types',
      module(plugin('parsers.door', 'eventTypes: 1')),
      'PLUGIN_INVALID',
      'without eventTypes',
    ],
    [
      'has an id of the program',
      module(plugin('sinks.clickhouse')),
      'PLUGIN_ID_DOUBLED',
      'cannot be used: Two plugins',
    ],
    [
      'has a malformed id',
      module(plugin('parsers.DOOR')),
      'PLUGIN_ID_INVALID',
      'cannot be used: The plugin id',
    ],
  ])('refuses, with its place, a package that %s', async (_, text, code, message) => {
    const files = {
      'conf/node_modules/door/package.json': manifest('door'),
      ...(typeof text === 'string' && { 'conf/node_modules/door/main.js': text }),
    };
    const { config, problems } = await load(listing(typeof text === 'string' ? files : {}));
    expect(config).toBeUndefined();
    expect(problems.map(placeAndCode)[0]).toBe(`conf/gateway.yaml:2:11 ${code}`);
    expect(problems[0]?.message).toMatch(/^`plugins\[0\]`: the package "door" /);
    expect(problems[0]?.message).toContain(message);
    expect(problems[0]?.hint).toEqual(expect.any(String));
  });

  it('refuses what is no list of texts', async () => {
    for (const list of ['door', '[1]', '[[door]]', '[""]']) {
      const { problems } = await load(listing({}, list));
      expect(problems[0]).toMatchObject({
        file: 'conf/gateway.yaml',
        line: 2,
        code: expect.stringMatching(/^CONFIG_/),
      });
    }
  });

  it('refuses a file that lists packages which nobody has imported', () => {
    const files = new ConfigFiles({ 'gateway.yaml': 'plugins: [door]\n' });
    expect(files.load().problems.map(placeAndCode)).toEqual(['gateway.yaml:1:11 PLUGIN_NOT_FOUND']);
  });
});
