import { LineFramer } from '@activity-gateway/pipeline/helpers';
import {
  arrangeBy,
  BufferPool,
  compileFunction,
  Fifo,
  FlatJson,
  isoTime,
  Line,
  parseEventTime,
  quoteText,
  utcMidnight,
  type Keyed,
} from '../../libs/pipeline/src/fast/index.js';
import { smbParser } from '../../plugins/parsers/smb/index.js';
import { makeCorpus } from './corpus.js';
import { median } from './end-to-end/numbers.js';

/** A trick and the plain way that gives the same. Both return something, so that the engine leaves nothing out. */
interface Trick {
  readonly name: string;
  /** What one of `count` is. */
  readonly unit: string;
  readonly plainly: string;
  readonly count: number;
  readonly fast: () => unknown;
  readonly plain: () => unknown;
}

const ROUNDS = 15;
const LINES = 2_000;
/** Lines of one chunk of a busy connection, about. */
const BATCH = 200;
const REPEATS = 20_000;

/** `npm run bench -- fast`: what each trick of `libs/pipeline/src/fast` takes, and what the plain way takes. */
export function runFastTricks(): void {
  const rows = tricks().map((trick) => ({ trick, ...measure(trick) }));
  for (const { trick, fast, plain } of rows) {
    const ratio = `${(plain / fast).toFixed(1)}x`.padStart(7);
    const figures = `${nanoseconds(fast)} instead of ${nanoseconds(plain)} ns ${ratio}`;
    process.stdout.write(
      `${trick.name.padEnd(16)} ${figures}  per ${trick.unit}; plainly: ${trick.plainly}\n`,
    );
  }
}

const nanoseconds = (value: number): string => value.toFixed(value < 100 ? 1 : 0).padStart(9);

/** Processor time of each for one unit, ns, in turns; the median, and the first three rounds are left out. */
function measure({ fast, plain, count }: Trick): { fast: number; plain: number } {
  const taken = { fast: [] as number[], plain: [] as number[] };
  for (let round = 0; round < ROUNDS + 3; round += 1) {
    for (const [name, work] of [['fast', fast] as const, ['plain', plain] as const]) {
      const before = process.cpuUsage();
      for (let n = 0; n < 10; n += 1) sink = work();
      const { user, system } = process.cpuUsage(before);
      if (round >= 3) taken[name].push(((user + system) * 1_000) / count / 10);
    }
  }
  return { fast: median(taken.fast), plain: median(taken.plain) };
}

/** Keeps what was made last: the engine must not see that nobody needs it. */
export let sink: unknown;

function tricks(): Trick[] {
  const lines = linesOf(LINES);
  const messages = lines.map((line) => JSON.parse(line.text) as Keyed);
  const texts = [flatJson(lines, messages), arranging(messages), objects(messages[0] ?? {})];
  return [...texts, ...ofTimes(messages), ...ofJson(messages), ...ofLines(lines), ...ofMemory()];
}

function linesOf(events: number): Line[] {
  const framer = new LineFramer(1 << 24);
  return makeCorpus(events, ['file']).chunks.flatMap((chunk) => framer.cut(chunk));
}

function flatJson(lines: readonly Line[], messages: readonly Keyed[]): Trick {
  const flat = new FlatJson();
  for (let n = 0; n < 16; n += 1) for (const message of messages) flat.learn(message);
  return {
    name: 'FlatJson',
    unit: 'file event',
    plainly: 'JSON.parse of its text',
    count: lines.length,
    fast: () => inBatches(lines, (_, from, to) => flat.read(lines, from, to)),
    plain: () => inBatches(lines, (batch) => batch.map((line): unknown => JSON.parse(line.text))),
  };
}

function arranging(messages: readonly Keyed[]): Trick {
  const known = Object.keys(smbParser.messageSchema['properties'] as object);
  const knownSet = new Set(known);
  const others = { keys: [] as string[], count: 0 };
  const arrange = arrangeBy(known);
  const arrangeOne = (message: Keyed): Keyed => {
    others.count = 0;
    return arrange(message, others);
  };
  return {
    name: 'arrangeBy',
    unit: `message, ${known.length} known keys`,
    plainly: 'a look-up in a Set, and the keys set one by one',
    count: messages.length,
    fast: () => inBatches(messages, (batch) => batch.map(arrangeOne)),
    plain: () => inBatches(messages, (batch) => batch.map((each) => arrangePlainly(known, knownSet, each))),
  };
}

function objects(message: Keyed): Trick {
  const keys = Object.keys(message);
  const values = Object.values(message);
  const members = keys.map((key, at) => `${JSON.stringify(key)}: values[${at}]`);
  const make = compileFunction<(from: unknown[]) => Keyed>(['values'], `return { ${members.join(', ')} };`);
  return {
    name: 'compileFunction',
    unit: `object of ${keys.length} keys`,
    plainly: 'the keys set one by one',
    count: REPEATS,
    fast: () => repeat(() => make(values)),
    plain: () =>
      repeat(() => {
        const object: Record<string, unknown> = {};
        for (let at = 0; at < keys.length; at += 1) object[keys[at] as string] = values[at];
        return object;
      }),
  };
}

function arrangePlainly(known: readonly string[], knownSet: ReadonlySet<string>, message: Keyed): unknown {
  const arranged: Record<string, unknown> = {};
  for (const key of known) arranged[key] = message[key];
  return [arranged, Object.keys(message).filter((key) => !knownSet.has(key))];
}

function ofTimes(messages: readonly Keyed[]): Trick[] {
  const times = messages.map(({ TimeLogged }) => TimeLogged as string);
  return [
    {
      name: 'parseEventTime',
      unit: 'time',
      plainly: 'Date.parse',
      count: times.length,
      fast: () => times.reduce((sum, time) => sum + parseEventTime(time), 0),
      plain: () => times.reduce((sum, time) => sum + Date.parse(time), 0),
    },
    {
      name: 'utcMidnight',
      unit: 'day',
      plainly: 'Date.UTC',
      count: REPEATS,
      fast: () => sumOf((n) => utcMidnight(2026, 1 + (n % 12), 1 + (n % 28))),
      plain: () => sumOf((n) => Date.UTC(2026, n % 12, 1 + (n % 28))),
    },
  ];
}

function ofJson(messages: readonly Keyed[]): Trick[] {
  const texts = messages
    .flatMap((message) => Object.values(message))
    .filter((each) => typeof each === 'string');
  const start = Date.UTC(2026, 10, 20, 9);
  return [
    {
      name: 'isoTime',
      unit: 'time, 1,000 a second',
      plainly: 'Date.toISOString',
      count: REPEATS,
      fast: () => sumOf((n) => isoTime(start + n).length),
      plain: () => sumOf((n) => new Date(start + n).toISOString().length),
    },
    {
      name: 'quoteText',
      unit: 'text of a file event',
      plainly: 'JSON.stringify',
      count: texts.length,
      fast: () => texts.reduce((sum, text) => sum + quoteText(text).length, 0),
      plain: () => texts.reduce((sum, text) => sum + JSON.stringify(text).length, 0),
    },
  ];
}

function ofLines(lines: readonly Line[]): Trick[] {
  const long = Line.of(Buffer.from(`{"Text":"${'Grüße '.repeat(2_500)}"}`));
  return [
    {
      name: 'Line.text',
      unit: `line of ${Math.round(long.length / 1024)} KiB with letters outside ASCII, and JSON.parse of it`,
      plainly: 'Buffer.toString',
      count: 100,
      fast: () => repeat(() => JSON.parse(long.text), 100),
      plain: () => repeat(() => JSON.parse(long.bytes.toString('utf8')), 100),
    },
    {
      name: 'Line',
      unit: 'line',
      plainly: 'a view of its bytes',
      count: lines.length,
      fast: () =>
        inBatches(lines, (batch) => batch.map(({ chunk, start, end }) => new Line(chunk, start, end))),
      plain: () =>
        inBatches(lines, (batch) => batch.map(({ chunk, start, end }) => chunk.subarray(start, end))),
    },
  ];
}

function ofMemory(): Trick[] {
  const pool = new BufferPool({ minBytes: 64 * 1024, maxSpareBytes: 1024 * 1024 });
  const waiting = 50_000;
  return [
    {
      name: 'BufferPool',
      unit: 'buffer of 256 KiB',
      plainly: 'Buffer.allocUnsafeSlow',
      count: 100,
      fast: () =>
        repeat(() => {
          const buffer = pool.take(256 * 1024).fill(1);
          pool.give(buffer);
          return buffer;
        }, 100),
      plain: () => repeat(() => Buffer.allocUnsafeSlow(256 * 1024).fill(1), 100),
    },
    {
      name: 'Fifo',
      unit: `item in and out, ${waiting} waiting`,
      plainly: 'Array.push and shift',
      count: 1_000,
      fast: throughFifo(waiting),
      plain: throughArray(waiting),
    },
  ];
}

function throughFifo(waiting: number): () => unknown {
  const fifo = new Fifo<number>();
  for (let n = 0; n < waiting; n += 1) fifo.push(n);
  return () =>
    repeat(() => {
      fifo.push(1);
      return fifo.shift();
    }, 1_000);
}

function throughArray(waiting: number): () => unknown {
  const array = Array.from({ length: waiting }, (_, n) => n);
  return () =>
    repeat(() => {
      array.push(1);
      return array.shift();
    }, 1_000);
}

/** As lines come: what is made of some of them is let go before the next ones. */
function inBatches<T>(
  items: readonly T[],
  work: (batch: readonly T[], from: number, to: number) => unknown,
): unknown {
  let last: unknown;
  for (let from = 0; from < items.length; from += BATCH) {
    const to = Math.min(items.length, from + BATCH);
    last = work(items.slice(from, to), from, to);
  }
  return last;
}

function repeat(work: () => unknown, times = REPEATS): unknown {
  let last: unknown;
  for (let n = 0; n < times; n += 1) last = work();
  return last;
}

function sumOf(value: (n: number) => number): number {
  let sum = 0;
  for (let n = 0; n < REPEATS; n += 1) sum += value(n);
  return sum;
}
