import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  PermanentError,
  RetryableError,
  type EncodedEntry,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import {
  createTestContext,
  leftoverResources,
  openResources,
  sampleBatch,
  validateOptions,
} from '@activity-gateway/pipeline/testing';
import { ndjsonFileSink } from './index.js';

const signal = new AbortController().signal;
let root = '';
let directory = '';
const context = createTestContext();
const path = (): string => join(directory, 'dead_letters.ndjson');
const create = (): Sink =>
  ndjsonFileSink.create(validateOptions(ndjsonFileSink, { directory }) as never, context);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ndjson-file-'));
  directory = join(root, 'deep', 'er');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function started(): Promise<Sink> {
  const sink = create();
  await sink.start?.(signal);
  return sink;
}

describe('sinks.ndjson_file', () => {
  it('writes entries as they were encoded, one file for each event type', async () => {
    const before = openResources();
    const sink = await started();
    const entries = ['gw/1/1', 'gw/1/2'].map((id) => encodeBatch(sink, sampleBatch(deadLetters), id));
    await sink.write(entries, 'token-1', signal);
    await sink.write(entries.slice(0, 1), 'token-2', signal);
    await sink.stop?.(Date.now());
    const [first, second] = entries as [EncodedEntry, EncodedEntry];
    expect(readFileSync(path())).toEqual(Buffer.concat([first.bytes, second.bytes, first.bytes]));
    const lines = readFileSync(path(), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(first.rows * 3);
    for (const line of lines) expect(Object.keys(JSON.parse(line) as object)).toContain('ingest_batch');
    expect(await leftoverResources(before)).toEqual([]);
  });

  it('cuts off at start what a crash left behind the last line end', async () => {
    await (await started()).stop?.(Date.now());
    writeFileSync(path(), `{"a":1}\n{"a":"${'x'.repeat(200_000)}`);
    await (await started()).stop?.(Date.now());
    expect(readFileSync(path(), 'utf8')).toBe('{"a":1}\n');
    expect(context.logger.lines.at(-1)).toMatchObject({ level: 'warn', fields: { bytes: 200_006 } });
    writeFileSync(path(), 'no line end at all');
    await (await started()).stop?.(Date.now());
    expect(readFileSync(path(), 'utf8')).toBe('');
  });

  it('keeps what is there', async () => {
    await (await started()).stop?.(Date.now());
    appendFileSync(path(), '{"a":1}\n');
    const sink = await started();
    await sink.write([encodeBatch(sink, sampleBatch(deadLetters), 'gw/1/1')], 'token', signal);
    await sink.stop?.(Date.now());
    expect(readFileSync(path(), 'utf8').startsWith('{"a":1}\n{"pipeline"')).toBe(true);
  });

  it('can be tried again when the disk is full', async () => {
    if (!existsSync('/dev/full')) return;
    const sink = await started();
    symlinkSync('/dev/full', path());
    const entry = encodeBatch(sink, sampleBatch(deadLetters), 'gw/1/1');
    const failure = await sink.write([entry], 'token', signal).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RetryableError);
    expect(failure).toMatchObject({ code: 'ENOSPC' });
    rmSync(path());
    await sink.write([entry], 'token', signal);
    await sink.stop?.(Date.now());
    expect(readFileSync(path())).toEqual(Buffer.from(entry.bytes));
  });

  it('asks for a person when the folder is gone, and goes on when it is back', async () => {
    const sink = await started();
    const entry = encodeBatch(sink, sampleBatch(deadLetters), 'gw/1/1');
    await sink.write([entry], 'token-1', signal);
    rmSync(directory, { recursive: true });
    await expect(sink.write([entry], 'token-2', signal)).rejects.toBeInstanceOf(PermanentError);
    await sink.check?.(signal);
    await sink.write([entry], 'token-2', signal);
    await sink.stop?.(Date.now());
    expect(readFileSync(path())).toEqual(Buffer.from(entry.bytes));
  });

  it('does not start, and says why, where a file stands in the folder’s place', async () => {
    writeFileSync(join(root, 'deep'), '');
    const sink = create();
    await expect(sink.start?.(signal)).rejects.toMatchObject({ code: 'NDJSON_DIRECTORY_UNUSABLE' });
    await expect(sink.check?.(signal)).rejects.toMatchObject({ code: 'NDJSON_DIRECTORY_UNUSABLE' });
    await sink.stop?.(Date.now());
  });

  it('writes nothing under an aborted signal or after stop', async () => {
    const sink = await started();
    const entry = encodeBatch(sink, sampleBatch(deadLetters), 'gw/1/1');
    await expect(sink.write([entry], 'token', AbortSignal.abort())).rejects.toBeInstanceOf(RetryableError);
    await sink.write([], 'token', signal);
    await sink.stop?.(Date.now());
    await expect(sink.write([entry], 'token', signal)).rejects.toBeInstanceOf(RetryableError);
    expect(existsSync(path())).toBe(false);
  });
});
