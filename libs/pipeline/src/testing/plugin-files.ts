import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { JsonSchema } from '../api/index.js';

/** Path of a plugin's folder below `plugins/`, as its id says: `sinks.ndjson_file` is in `sinks/ndjson-file`. */
export function folderOfId(id: string): string {
  const [kinds = '', name = ''] = id.split('.');
  return `${kinds}/${name.replaceAll('_', '-')}`;
}

/** A plugin's folder below the folder `plugins/`, both with a slash at their ends. */
export function pluginFolder(root: URL, id: string): URL {
  return new URL(`${folderOfId(id)}/`, root);
}

/** Paths of all plugin folders below `plugins/`, as `folderOfId` gives them, sorted. */
export function pluginFolders(root: URL): string[] {
  const folders = (at: URL): string[] =>
    readdirSync(at, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
      .map((entry) => entry.name);
  return folders(root)
    .flatMap((kinds) => folders(new URL(`${kinds}/`, root)).map((name) => `${kinds}/${name}`))
    .sort();
}

/**
 * Options of a plugin in its `sample.yaml`: the `with` of the step that uses it, wherever that stands in the file.
 * @throws Error when the file is missing or uses the plugin nowhere
 */
export function sampleOptions(folder: URL, id: string): unknown {
  const step = findStep(parse(readFileSync(new URL('sample.yaml', folder), 'utf8')), id);
  if (step === undefined) {
    throw new Error(`sample.yaml does not use ${id}: write "use: ${id}" and its options below "with:".`);
  }
  return step['with'] ?? {};
}

function findStep(value: unknown, id: string): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const map = value as Record<string, unknown>;
  if (map['use'] === id) return map;
  for (const each of Object.values(map)) {
    const found = findStep(each, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** One row of the options table of a README. */
export interface OptionRow {
  readonly name: string;
  /** The cell as written, without code marks. */
  readonly default: string;
}

/**
 * Rows of the table below the heading `Options` of a README; none when there is no table. The first column names the
 * option, and one column's heading is `default`.
 */
export function readmeOptions(folder: URL): OptionRow[] {
  const readme = new URL('README.md', folder);
  if (!existsSync(readme)) return [];
  const section =
    /^#+ +Options *\n([\s\S]*?)(?=^#+ |$(?![\s\S]))/im.exec(readFileSync(readme, 'utf8'))?.[1] ?? '';
  const [head, , ...rows] = section
    .split('\n')
    .filter((line) => line.trim().startsWith('|'))
    .map(cellsOf);
  const column = (head ?? []).findIndex((cell) => cell.toLowerCase() === 'default');
  return rows.map((cells) => ({ name: cells[0] ?? '', default: cells[column] ?? '' }));
}

function cellsOf(line: string): string[] {
  const cells = line.trim().split(/(?<!\\)\|/);
  return cells.slice(1, -1).map((cell) => cell.trim().replaceAll('`', '').replaceAll('\\|', '|'));
}

/** One property of an option schema, with its path for nested ones. */
export interface SchemaProperty {
  /** `tls.cert` for `cert` inside `tls`. */
  readonly path: string;
  readonly schema: JsonSchema;
}

/** All properties of an option schema, outer before inner. */
export function schemaProperties(schema: JsonSchema, prefix = ''): SchemaProperty[] {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.entries(properties).flatMap(([name, property]) => [
    { path: prefix + name, schema: property },
    ...schemaProperties(property, `${prefix}${name}.`),
  ]);
}

/** Paths of all objects inside an option schema that take unknown keys; maps with a schema for their values are closed. */
export function openObjects(schema: JsonSchema, path = '/'): string[] {
  const open: string[] = [];
  const isObject = schema['type'] === 'object' || schema['properties'] !== undefined;
  const additional = schema['additionalProperties'];
  if (isObject && (additional === undefined || additional === true)) open.push(path);
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'default' || key === 'examples' || typeof value !== 'object' || value === null) continue;
    open.push(...openObjects(value as JsonSchema, `${path}${path === '/' ? '' : '/'}${key}`));
  }
  return open;
}
