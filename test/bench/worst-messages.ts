import { Batch, type Origin, type PluginContext } from '@activity-gateway/pipeline/api';
import { LineFramer } from '@activity-gateway/pipeline/helpers';
import { MessageReader } from '@activity-gateway/activity';
import { createMetrics } from '@activity-gateway/pipeline/host';
import { Registry } from 'prom-client';
import { median } from './end-to-end/numbers.js';
import { smbParser } from '../../plugins/parsers/smb/index.js';
import { MalformedLines } from '../../plugins/sources/nam-tls/malformed-lines.js';
import { sortLines } from '../../plugins/sources/nam-tls/sort-lines.js';

/** Largest value of activitymonitor_max_message_size, bytes. */
const LARGEST = 64 * 1024 * 1024;
/** As a socket gives it, bytes. */
const CHUNK = 64 * 1024;
/** Takes of each message, of which the median counts. */
const ROUNDS = 3;

const event = (value: string): string =>
  `{"ActivityType":"FileSystem","TimeLogged":"2026-11-20T09:15:02.187Z","Host":"h","Operation":"Read","Path":"p","UserName":"u","X":${value}}`;
const filled = (piece: string): string =>
  event(`"${piece.repeat(Math.floor((LARGEST - 200) / piece.length))}"`);

const RECEIVED_AT = Date.UTC(2026, 10, 20, 12);
const ORIGIN: Origin = {
  connectionId: 'bench-1',
  sender: 'ab'.repeat(32),
  senderHost: 'BENCH',
  sourceIp: '127.0.0.1',
};

/** What a parser uses of its context. */
const context = { metrics: createMetrics(new Registry()), now: () => RECEIVED_AT } as PluginContext;
const parser = smbParser.create({ max_event_age: '400d', max_clock_skew: '1d' }, context);

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
    const batch = new Batch(ORIGIN, RECEIVED_AT, bytes, events, rejects);
    parser.apply(batch);
    codes.push(...batch.rejects.map(({ code }) => code), ...batch.events.map(() => 'event'));
  });
  return { ms, codes };
}

const MESSAGES: readonly (readonly [name: string, make: () => Buffer])[] = [
  ['five million empty objects', () => Buffer.from(event(`[${'{},'.repeat(5_000_000)}1]`))],
  ['one string of plain text', () => Buffer.from(filled('x'))],
  ['bytes that are not UTF-8', () => Buffer.from(filled('\xff'), 'latin1')],
  ['one string of escaped quotes', () => Buffer.from(filled('\\"'))],
  ['backslashes, half in a key', () => Buffer.from(filled('\\\\').replace(/"}$/, '","\\ud800":1}'))],
  ['backslashes, half a character', () => Buffer.from(filled('\\\\').replace(/"}$/, '\\ud800"}'))],
];

/** Prints how long the longest messages keep a reactor from everybody else: from the last byte to the decoded record. */
export function runWorstMessages(): void {
  for (const [name, make] of MESSAGES) {
    const message = make();
    const takes = Array.from({ length: ROUNDS }, () => take(message));
    const ms = Math.round(median(takes.map((each) => each.ms)));
    process.stdout.write(`${name.padEnd(30)}${String(ms).padStart(6)} ms  ${takes[0]?.codes.join(', ')}\n`);
  }
}
