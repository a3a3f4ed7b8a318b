import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  folderOfId,
  openObjects,
  pluginFolder,
  pluginFolders,
  readmeOptions,
  sampleOptions,
  schemaProperties,
} from './plugin-files.js';

let path = '';
let folder = new URL('file:///');

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'plugin-files-'));
  folder = pathToFileURL(`${path}/`);
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

describe('plugin folders', () => {
  it('are named as the ids say', () => {
    expect(folderOfId('sinks.ndjson_file')).toBe('sinks/ndjson-file');
    expect(pluginFolder(new URL('file:///p/'), 'parsers.smb').href).toBe('file:///p/parsers/smb/');
    for (const each of ['sinks/null', 'sinks/ndjson-file', '_shared/x'])
      mkdirSync(join(path, each), { recursive: true });
    writeFileSync(join(path, 'index.ts'), '');
    expect(pluginFolders(folder)).toEqual(['sinks/ndjson-file', 'sinks/null']);
  });
});

describe('sampleOptions', () => {
  it.each([
    ['use: sinks.x\nwith: { a: 1 }', { a: 1 }],
    ['use: sinks.x', {}],
    ['name: p\nsinks:\n  - { use: sinks.y }\n  - { use: sinks.x, with: { a: 1 } }', { a: 1 }],
  ])('finds the options in %j', (yaml, options) => {
    writeFileSync(join(path, 'sample.yaml'), yaml);
    expect(sampleOptions(folder, 'sinks.x')).toEqual(options);
  });

  it('says what to write when the sample does not use the plugin', () => {
    writeFileSync(join(path, 'sample.yaml'), 'a: 1');
    expect(() => sampleOptions(folder, 'sinks.x')).toThrow('write "use: sinks.x"');
  });
});

describe('readmeOptions', () => {
  it('reads the table below the heading, and no other', () => {
    writeFileSync(
      join(path, 'README.md'),
      '# x\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Options\n\n| option | meaning | Default |\n| --- | --- | --- |\n' +
        '| `tls.cert` | a \\| b | `none` |\n| `port` | c | 1,514 |\n\n## More\n\n| c |\n|---|\n| 3 |\n',
    );
    expect(readmeOptions(folder)).toEqual([
      { name: 'tls.cert', default: 'none' },
      { name: 'port', default: '1,514' },
    ]);
  });

  it('finds none without a README, a heading or a table', () => {
    expect(readmeOptions(folder)).toEqual([]);
    writeFileSync(join(path, 'README.md'), '# x\n\n## Options\n\nNone.\n');
    expect(readmeOptions(folder)).toEqual([]);
  });
});

describe('option schemas', () => {
  const closed = { additionalProperties: false };
  const schema = {
    type: 'object',
    ...closed,
    properties: {
      tls: { type: 'object', ...closed, properties: { cert: { type: 'string' } } },
      open: { type: 'object', properties: {} },
      list: { type: 'array', items: { type: 'object' } },
      map: { type: 'object', additionalProperties: { type: 'string' }, default: { type: 'object' } },
    },
  };

  it('give all properties with their paths', () => {
    expect(schemaProperties(schema).map(({ path: at }) => at)).toEqual([
      'tls',
      'tls.cert',
      'open',
      'list',
      'map',
    ]);
  });

  it('are searched for objects that take unknown keys', () => {
    expect(openObjects(schema)).toEqual(['/properties/open', '/properties/list/items']);
  });
});
