import { isUtf8 } from 'node:buffer';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from '@jest/globals';
import {
  API_VERSION,
  createEvent,
  defineEventType,
  definePlugin,
  RejectError,
  type SourceEvent,
} from '../api/index.js';
import { parserTransform } from '../helpers/index.js';
import { runGoldenCases } from './index.js';

const things = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, size: { kind: 'uint64' }, tags: { kind: 'keyword-map' } },
});
/** A parser with everything that a golden case has to tell apart. */
const parser = definePlugin<{ factor: number }>({
  id: 'parsers.things',
  kind: 'parser',
  apiVersion: API_VERSION,
  stability: 'development',
  summary: 'Decodes things.',
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { factor: { type: 'integer', default: 1, description: 'What sizes are multiplied with.' } },
  },
  eventTypes: [things],
  create: ({ factor }) =>
    parserTransform<{ Size: string }>({
      eventType: things,
      claims: 'Thing',
      schema: { type: 'object', required: ['Size'], properties: { Size: { type: 'string' } } },
      decode({ Size }, { receivedAt }) {
        if (Size === '') throw new RejectError('empty', '/Size', 'Empty.');
        return { event_time: receivedAt, size: BigInt(Size) * BigInt(factor), tags: new Map([['a', 'b']]) };
      },
    }),
});

const path = mkdtempSync(join(tmpdir(), 'golden-cases-'));
afterAll(() => rm(path, { recursive: true, force: true }));

const thing = (size: string): string => JSON.stringify({ ActivityType: 'Thing', Size: size });
const record = (size: string): string =>
  JSON.stringify({ record: { event_time: Date.UTC(2026, 10, 20, 12), size, tags: { a: 'b' } } });
const reject = (stage: string, code: string, field: string): string =>
  JSON.stringify({ reject: { stage, code, field } });

function writeCase(name: string, files: Record<string, string | Buffer>): void {
  const folder = join(path, 'testcases', name);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
}

writeCase('defaults', {
  'input.jsonl': `${thing('18446744073709551615')}\r\n\n${thing('')}\n{"ActivityType":"Thing"}\n{"ActivityType":"Other"}`,
  'expected.jsonl': [
    record('18446744073709551615'),
    reject('validate', 'empty', '/Size'),
    reject('validate', 'missing_key', '/Size'),
    '{"unclaimed":true}',
  ].join('\n'),
});
writeCase('options', {
  'options.yaml': 'factor: 3\n',
  'input.jsonl': thing('2'),
  'expected.jsonl': record('6'),
});
writeCase('raw lines', {
  'input.txt': Buffer.concat([Buffer.from('no event\n{"a":1}\nLEEF:1.0|a|b|c|d|x='), Buffer.from([0xff])]),
  'expected.jsonl': [
    reject('frame', 'not_json_or_leef', ''),
    reject('frame', 'no_message_type', ''),
    reject('frame', 'not_utf8', ''),
  ].join('\n'),
});

/** Tells lines apart as a source may do. */
function read(line: Buffer): SourceEvent {
  if (!isUtf8(line)) throw new RejectError('not_utf8', '', 'No UTF-8.', 'frame');
  const text = line.toString();
  if (!text.startsWith('{')) throw new RejectError('not_json_or_leef', '', 'No JSON.', 'frame');
  const value = JSON.parse(text) as { ActivityType?: string };
  if (value.ActivityType === undefined) throw new RejectError('no_message_type', '', 'No type.', 'frame');
  return createEvent(value.ActivityType, value, line);
}

runGoldenCases(pathToFileURL(path), parser, { read });
