import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import { API_VERSION, type PluginDefinition } from '../../api/index.js';
import type { TableParserDefinition } from '../../helpers/index.js';
import { PluginRegistry } from '../../registry/index.js';
import {
  folderOfId,
  openObjects,
  readmeOptions,
  sampleOptions,
  schemaProperties,
  type SchemaProperty,
} from '../plugin-files.js';
import { validateOptions } from '../validate-options.js';

/** Declares the tests of what a plugin says of itself: id, schema, sample and README. */
export function definitionContract(definition: PluginDefinition, folder: URL): void {
  const { id, configSchema } = definition;

  it('has an id that fits its kind and its folder, and a summary', () => {
    expect(() => new PluginRegistry([definition])).not.toThrow();
    expect(folder.pathname).toMatch(new RegExp(`/${folderOfId(id)}/$`));
    expect(definition.apiVersion).toBe(API_VERSION);
    expect(definition.summary).toMatch(/\S.*\.$/);
    expect(Object.isFrozen(definition)).toBe(true);
  });

  it('says which connections it takes and opens', () => {
    const { network = [], requires = [] } = definition;
    const directions = network.map(({ direction }) => direction);
    if (requires.includes('connections')) expect(directions).toContain('in');
    if (requires.includes('endpoints')) expect(directions).toContain('out');
    for (const { port, peer, purpose } of network) {
      expect([port, peer]).not.toContain('');
      expect(purpose).toMatch(/\S.*\.$/);
    }
  });

  it('has a strict option schema, closed at every level, each property described', () => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, validateSchema: true });
    ajvFormats.default(ajv);
    expect(() => ajv.compile(configSchema)).not.toThrow();
    expect(configSchema['type']).toBe('object');
    expect(openObjects(configSchema)).toEqual([]);
    const undescribed = schemaProperties(configSchema).filter(
      ({ schema }) => typeof schema['description'] !== 'string' || schema['description'].length < 10,
    );
    expect(undescribed.map(({ path }) => path)).toEqual([]);
  });

  it('refuses an option that it does not know', () => {
    expect(() => validateOptions(definition, { no_such_option: 1 })).toThrow('no_such_option');
  });

  it('has a sample.yaml that is valid', () => {
    expect(() => validateOptions(definition, sampleOptions(folder, id))).not.toThrow();
  });

  it('names every column and every key of its table in its README.md', () => {
    const { columns } = definition as Partial<Pick<TableParserDefinition<never>, 'columns'>>;
    if (columns === undefined) return;
    const words = new Set(readFileSync(new URL('README.md', folder), 'utf8').match(/[\w.]+/g));
    const declared = [...columns].flatMap(([name, { keys }]) => [name, ...keys]);
    expect(declared.filter((word) => !words.has(word))).toEqual([]);
  });

  it('has a README.md whose options table has exactly the schema’s properties and defaults', () => {
    expect(existsSync(new URL('README.md', folder))).toBe(true);
    const properties = schemaProperties(configSchema).filter(
      ({ schema }) => schema['properties'] === undefined,
    );
    const rows = readmeOptions(folder);
    expect(rows.map(({ name }) => name).sort()).toEqual(properties.map(({ path }) => path).sort());
    const wrong = properties.filter((property) => !hasDefault(rows, property));
    expect(wrong.map(({ path, schema }) => `${path}: ${JSON.stringify(schema['default'])}`)).toEqual([]);
  });
}

function hasDefault(rows: ReturnType<typeof readmeOptions>, { path, schema }: SchemaProperty): boolean {
  const cell = rows.find(({ name }) => name === path)?.default ?? '';
  const value = schema['default'];
  if (value === undefined) return true;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const plain = cell.replaceAll(/[,_](?=\d{3})/g, '');
  return plain.includes(text) || plain.includes(JSON.stringify(value)) || (text === '' && cell !== '');
}
