import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EVENT_KINDS } from '@activity-gateway/agent';
import type { EventType } from '@activity-gateway/pipeline/api';
import { plugins } from '../../plugins/index.js';
import { shippedEventTypes } from '../support/clickhouse.js';

const COMMON = ['event_time', 'extra'];

function wordsOf(text: string): Set<string> {
  return new Set(text.match(/\w+/g));
}

/** Fields of which a page does not name every part. */
function missingIn(text: string, { fields }: EventType): string[] {
  const words = wordsOf(text);
  return Object.keys(fields).filter((field) => !field.split('.').every((part) => words.has(part)));
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry;
    const path = join(directory, name);
    if (entry.isDirectory()) return name === 'node_modules' || name === 'dist' ? [] : filesBelow(path);
    return /\.tsx?$/.test(name) && !/\.spec\.tsx?$/.test(name) ? [path] : [];
  });
}

const parsers = plugins.flatMap((plugin) =>
  'eventTypes' in plugin
    ? plugin.eventTypes.map((type) => ({ folder: plugin.id.split('.')[1] ?? '', type, name: type.name }))
    : [],
);

describe.each(parsers)('the event type $name', ({ folder, type }) => {
  it('has every column in the README of its plugin, and in its section of docs/reference/events.md', () => {
    const readme = readFileSync(`plugins/parsers/${folder}/README.md`, 'utf8');
    expect(missingIn(readme, type)).toEqual([]);
    const sections = readFileSync('docs/reference/events.md', 'utf8').split(/^## /m);
    const section = sections.find((text) => text.split('\n', 1)[0]?.includes(`-> \`${type.name}\``));
    expect(missingIn(`${COMMON.join(' ')} ${section ?? ''}`, type)).toEqual([]);
  });

  it('has no column in the table of its README that it has not', () => {
    const readme = readFileSync(`plugins/parsers/${folder}/README.md`, 'utf8');
    const table = /^\| key[^|]*\| column.*\n(?:\|.*\n)+/m.exec(readme)?.[0] ?? '';
    const cells = table.split('\n').map((line) => line.split('|')[2]?.replace(/\([^)]*\)/g, '') ?? '');
    const named = cells.flatMap((cell) => cell.match(/\b[a-z]+_[a-z_]+\b/g) ?? []);
    const parts = new Set(Object.keys(type.fields).flatMap((field) => field.split('.')));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !parts.has(name))).toEqual([]);
  });

  it('is named by its own folder only, and by the step of the schema that has made its table', () => {
    const files = ['apps', 'libs', 'plugins'].flatMap(filesBelow);
    const named = files.filter((path) => new RegExp(`\\b${type.name}\\b`).test(readFileSync(path, 'utf8')));
    const own = named.filter((path) => path.startsWith(`plugins/parsers/${folder}/`));
    expect(own.length).toBeGreaterThan(0);
    expect(named.filter((path) => !own.includes(path) && !path.endsWith('/0001-activity-tables.ts'))).toEqual(
      [],
    );
  });
});

describe('the simulator', () => {
  it('makes events of every type', () => {
    expect([...EVENT_KINDS].sort()).toEqual(shippedEventTypes.map(({ type }) => type).sort());
  });
});
