import { describe, expect, it } from '@jest/globals';
import { Batch } from '@app/pipeline/api';
import { LineFramer, MessageReader } from '@app/pipeline/helpers';
import { createTestContext, TEST_ORIGIN, validateOptions } from '@app/pipeline/testing';
import { smbParser } from '../../plugins/parsers/smb/index.js';
import { MalformedLines } from '../../plugins/sources/nam-tls/malformed-lines.js';
import { sortLines } from '../../plugins/sources/nam-tls/sort-lines.js';

/** Largest value of activitymonitor_max_message_size, bytes. */
const LARGEST = 64 * 1024 * 1024;
/** As a socket gives it, bytes. */
const CHUNK = 64 * 1024;
/** Processor time that one message may take the reactor in one piece, ms; the aim of the docs is 500. */
const MOST_MS = 1_500;

const event = (value: string): string =>
  `{"ActivityType":"FileSystem","TimeLogged":"2026-11-20T09:15:02.187Z","Host":"h","Operation":"Read","Path":"p","UserName":"u","X":${value}}`;
const filled = (piece: string): string =>
  event(`"${piece.repeat(Math.floor((LARGEST - 200) / piece.length))}"`);

const parser = smbParser.create(
  validateOptions(smbParser, {}) as never,
  createTestContext({ eventTypes: smbParser.eventTypes }),
);

/** Processor time in ms, which says the same on a busy machine. */
function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Reads a message as the source does, decodes it, and gives the time from its last chunk on, and what became of it. */
function take(message: Buffer): { ms: number; codes: string[] } {
  const framer = new LineFramer(LARGEST);
  const chunks = Math.floor(message.length / CHUNK) * CHUNK;
  for (let at = 0; at < chunks; at += CHUNK) framer.cut(message.subarray(at, at + CHUNK));
  const last = Buffer.concat([message.subarray(chunks), Buffer.from('\n')]);
  const codes: string[] = [];
  const ms = processorMs(() => {
    const lines = framer.cut(last);
    const { events, rejects, bytes } = sortLines(
      new MessageReader(),
      lines,
      0,
      lines.length,
      new MalformedLines(),
    );
    const batch = new Batch(TEST_ORIGIN, Date.UTC(2026, 10, 20, 12), bytes, events, rejects);
    parser.apply(batch);
    codes.push(...batch.rejects.map(({ code }) => code), ...batch.events.map(() => 'event'));
  });
  return { ms, codes };
}

describe('the time that one message takes from all others', () => {
  it.each([
    [
      'five million empty objects',
      () => Buffer.from(event(`[${'{},'.repeat(5_000_000)}1]`)),
      'too_many_values',
    ],
    ['one key with a long string', () => Buffer.from(filled('x')), 'event'],
    ['one key with a string of escapes', () => Buffer.from(filled('\\"')), 'event'],
    ['bytes that are no UTF-8', () => Buffer.from(filled('\xff'), 'latin1'), 'invalid_utf8'],
  ])('is bounded: %s', (name, make, code) => {
    const { ms, codes } = take(make());
    if (process.env['SHOW'] !== undefined) process.stderr.write(`${name}: ${Math.round(ms)} ms\n`);
    expect(codes).toEqual([code]);
    expect(ms).toBeLessThan(MOST_MS);
  });
});
