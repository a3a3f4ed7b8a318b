import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { statusViewSchema } from '../../apps/ingest-gateway/src/admin/status.schema.js';
import { componentSchemas } from '../../apps/ingest-gateway/src/openapi/component.js';
import { settingNames } from '../../apps/ingest-gateway/src/settings/index.js';

interface Schema {
  readonly $ref?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

function sources(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith('.ts') && !path.endsWith('.spec.ts') ? [path] : [];
  });
}

/** What stands in backquotes. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : ((componentSchemas() as Record<string, Schema>)[name] ?? {});
}

/** Whether the status has a field: `listener.reactors[].state`. */
function isStatusField(path: string): boolean {
  let schema: Schema | undefined = statusViewSchema;
  for (const part of path.split('.')) {
    if (schema === undefined) return false;
    schema = resolve(schema).properties?.[part.replace('[]', '')];
    if (schema !== undefined && part.endsWith('[]')) schema = resolve(schema).items;
  }
  return schema !== undefined;
}

/** Fixed messages of the warnings and errors that a file logs; commands of the command line have no log. */
function alarmsOf(path: string): string[] {
  if (/[/](testing|cli|dist)[/]/.test(path)) return [];
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      const alarms = ['warn', 'error'].includes(name.text) && /logger$/i.test(expression.getText());
      const [, message] = node.arguments;
      if (alarms && message !== undefined && ts.isStringLiteralLike(message)) found.push(message.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Whether a message is put together of a part that the program has and one that it has elsewhere. */
function isComposed(message: string): boolean {
  return message.startsWith('MongoDB store not available; ');
}

describe('docs/how-to/troubleshoot.md', () => {
  const text = readFileSync('docs/how-to/troubleshoot.md', 'utf8');
  const code = ['apps', 'libs', 'plugins']
    .flatMap(sources)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const tables = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| cause'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  /** Of the tables of causes: cause, log, status, metric. */
  const rows = tables.filter(({ length }) => length >= 6);

  it('has every warning and error that the program logs, and no other', () => {
    const page = new Set(quoted(text));
    const logged = ['apps', 'libs', 'plugins'].flatMap(sources).flatMap(alarmsOf);
    expect(logged.length).toBeGreaterThan(60);
    expect(logged.filter((message) => !page.has(message))).toEqual([]);
    const listed = tables.filter(({ length }) => length === 5).flatMap((row) => quoted(row[1] ?? ''));
    const texts = listed.filter((message) => message.includes(' '));
    expect(texts.length).toBeGreaterThan(40);
    expect(texts.filter((message) => !code.includes(message) && !isComposed(message))).toEqual([]);
  });

  it('names log lines that the program writes', () => {
    const lines = rows.flatMap((row) => quoted(row[2] ?? '')).filter((each) => each.includes(' '));
    expect(lines.length).toBeGreaterThan(25);
    const missing = lines.filter((line) => !code.includes(line));
    // This one is put together from the reason that the status shows too.
    expect(missing).toEqual([]);
    expect(code).toContain("'enable_activitymonitor_ingestion is false'");
  });

  it('names metrics that there are', () => {
    const metrics = quoted(text).filter((each) => each.startsWith('gateway_'));
    expect(metrics.length).toBeGreaterThan(20);
    expect(metrics.filter((metric) => !code.includes(`'${metric}'`))).toEqual([]);
  });

  it('names fields that the status has, and settings that there are', () => {
    const paths = rows
      .flatMap((row) => quoted(row[3] ?? ''))
      .filter((each) => /^(listener|pipelines|clickhouse|settings)[.[]/.test(each));
    expect(paths.length).toBeGreaterThan(25);
    const missing = paths.filter((path) => !path.startsWith('settings.') && !isStatusField(path));
    expect(missing).toEqual([]);
    const named = quoted(text).flatMap(
      (each) => /^(?:settings\.)?((?:activitymonitor|enable)_\w+)$/.exec(each)?.[1] ?? [],
    );
    expect(named.filter((name) => !(settingNames as string[]).includes(name))).toEqual([]);
  });

  it('has every symptom of the reference', () => {
    const symptoms = [...text.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
    expect(symptoms).toEqual(
      expect.arrayContaining([
        'The listener is not starting',
        'An agent cannot connect',
        'An agent connected but is not sending data',
        'Events are not appearing in reports',
        'An agent keeps getting banned',
        'The list of agents has stale entries',
      ]),
    );
  });
});
