import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { StreamRange } from '../api/index.js';
import { GroupCommit, MAX_WAITING_BYTES } from '../spool/group-commit.js';
import { MAX_STREAMS_PER_SENDER } from '../spool/stream-table.js';
import { createRecordingLogger, until } from '../testing/index.js';
import { nextSequence } from './encode.js';
import { SpoolQueue } from './spool-queue.js';

let root: string;
let open: SpoolQueue[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spool-streams-'));
  open = [];
});
afterEach(async () => {
  for (const queue of open) await queue.destroy();
  rmSync(root, { recursive: true });
});

async function openQueue(name: string, adopt: string[] = []): Promise<SpoolQueue> {
  const queue = new SpoolQueue({
    sinks: ['main'],
    idPrefix: 'gw/000001',
    conditions: () => ({ now: Date.now(), maxRows: 100, maxAgeMs: 60_000, pressure: false }),
    events: { written: () => undefined, lost: () => undefined },
    directory: join(root, name),
    adopt: adopt.map((each) => join(root, each)),
    limits: { maxBytes: 2 ** 30, diskReserveBytes: 0 },
    logger: createRecordingLogger(),
    thread: false,
    onFlushed: () => undefined,
    onChanged: () => undefined,
  });
  await queue.open(new AbortController().signal);
  open.push(queue);
  return queue;
}

async function close(queue: SpoolQueue): Promise<void> {
  open = open.filter((each) => each !== queue);
  await queue.destroy();
}

/** Appends an entry, and with it that these ranges are stored; resolves when that is on disk. */
async function store(queue: SpoolQueue, ranges: readonly StreamRange[]): Promise<void> {
  let safe: Promise<void> = Promise.resolve();
  void queue.streams.atomically(() => {
    const entry = { destination: 'table', bytes: Buffer.alloc(10), rows: 1 };
    ({ safe } = queue.append([{ sink: 'main', entry, sequence: nextSequence(), receivedAt: Date.now() }]));
    return ranges;
  });
  await safe;
}

/** Writes out everything that a queue holds. */
async function writeOut(queue: SpoolQueue): Promise<void> {
  for (let batch = await queue.take('main', 'table'); batch; batch = await queue.take('main', 'table')) {
    await queue.commit(batch);
  }
}

const s = (first: number, last: number, stream = 'a/s'): StreamRange => ({ stream, first, last });
const n = (first: number, last: number): object => ({ first, last });

describe('streams in the spool', () => {
  it('are remembered with the entries, over restarts, and joined', async () => {
    const first = await openQueue('0');
    await store(first, [s(1, 10), s(5, 9, 'a/t')]);
    expect(await first.streams.durable('a/s')).toEqual([n(1, 10)]);
    await store(first, [s(11, 20), s(30, 40)]);
    await close(first);
    const second = await openQueue('0');
    await store(second, [s(21, 25)]);
    expect(await second.streams.durable('a/s')).toEqual([n(1, 25), n(30, 40)]);
    expect(await second.streams.durable('a/t')).toEqual([n(5, 9)]);
    expect(await second.streams.durable('a/u')).toEqual([]);
  });

  it('are remembered without entries, for events that were removed', async () => {
    const queue = await openQueue('0');
    await queue.streams.atomically(() => [s(1, 10)]);
    await close(queue);
    expect(await (await openQueue('0')).streams.durable('a/s')).toEqual([n(1, 10)]);
  });

  it('keep all ranges that are added while others are on their way to the disk', async () => {
    const queue = await openQueue('0');
    await Promise.all(Array.from({ length: 200 }, (_, i) => store(queue, [s(i * 10 + 1, i * 10 + 10)])));
    expect(await queue.streams.durable('a/s')).toEqual([n(1, 2_000)]);
  });

  it('are not durable before their entries are', async () => {
    const queue = await openQueue('0');
    const stored = store(queue, [s(1, 10)]);
    expect(await queue.streams.durable('a/s')).toEqual([]);
    await stored;
    expect(await queue.streams.durable('a/s')).toEqual([n(1, 10)]);
  });

  it('outlive the spool of a reactor that is no more', async () => {
    const gone = await openQueue('1');
    await store(gone, [s(1, 10), s(1, 3, 'b/s')]);
    await close(gone);
    const heir = await openQueue('0', ['1']);
    await store(heir, [s(11, 12)]);
    expect(await heir.streams.durable('a/s')).toEqual([n(1, 12)]);
    await writeOut(heir);
    await until(() => !existsSync(join(root, '1')));
    expect(await heir.streams.durable('a/s')).toEqual([n(1, 12)]);
    await close(heir);
    const again = await openQueue('0');
    expect(await again.streams.durable('a/s')).toEqual([n(1, 12)]);
    expect(await again.streams.durable('b/s')).toEqual([n(1, 3)]);
  });

  it('are as many for each agent as the limit, the oldest making room', async () => {
    const queue = await openQueue('0');
    await store(queue, [s(1, 1, 'b/kept')]);
    for (let i = 0; i <= MAX_STREAMS_PER_SENDER; i += 1) {
      await store(queue, [s(1, 1, `a/${i}`)]);
    }
    const left = await Promise.all(
      Array.from({ length: MAX_STREAMS_PER_SENDER + 1 }, (_, i) => queue.streams.durable(`a/${i}`)),
    );
    expect(left.filter((ranges) => ranges?.length === 1)).toHaveLength(MAX_STREAMS_PER_SENDER);
    expect(await queue.streams.durable('b/kept')).toEqual([n(1, 1)]);
  }, 30_000);
});

describe('GroupCommit', () => {
  it('writes what belongs together in one flush, however large', async () => {
    const flushes: string[][] = [];
    const commits = new GroupCommit({
      writer: {
        write: async (changes) => void flushes.push(changes.map(({ key }) => key as string)),
        release: () => Promise.resolve(),
        closeFile: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
      room: () => undefined,
      onRoom: () => undefined,
      onFlushed: () => undefined,
      onFailure: () => Promise.resolve(),
    });
    const append = (key: string): Promise<void> =>
      commits.append([{ table: 'meta', key }], MAX_WAITING_BYTES * 0.6).durable;
    const waits = [append('alone')];
    commits.atomically(() => waits.push(append('one'), append('two'), append('three')));
    waits.push(append('after'));
    await Promise.all(waits);
    await commits.stop();
    expect(flushes).toEqual([['alone'], ['one', 'two', 'three'], ['after']]);
  });
});
