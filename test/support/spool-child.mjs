// Appends to a spool and writes batches out of it until it is killed, and says on standard output what it has done:
//   D <id>              the entry is durable (mode "early": it was appended, which is too early to say so)
//   F <token> <ids>     the batch is frozen, its first attempt may begin
//   W <token>           the sink has it
// In mode "drain" nothing is appended, and the process ends when all is written.
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openSpool } from '../../libs/pipeline/dist/host/index.js';

const [directory, mode, epoch] = process.argv.slice(2);
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Says a line before it returns: what is said later would be lost with a kill. */
function say(line) {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // Whoever listens is slow, and the pipe is full.
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const spool = await openSpool({
  directory,
  limits: { maxBytes: 2 ** 30, diskReserveBytes: 0 },
  logger: silent,
  events: { written() {}, lost() {}, flushed() {}, changed() {} },
  now: Date.now,
  signal: new AbortController().signal,
});
const lane = spool.lane('main', 'table');

async function append() {
  for (let n = 1; ; n += 1) {
    const id = `gw/${epoch}/${String(n).padStart(12, '0')}`;
    const bytes = Buffer.from(`${id} `.repeat(1 + Math.floor(Math.random() * 500)));
    const { durable } = spool.append([
      { sink: 'main', id, receivedAt: Date.now(), entry: { destination: 'table', rows: 1, bytes } },
    ]);
    if (mode === 'early') say(`D ${id}`);
    else void durable.then(() => say(`D ${id}`));
    if (Math.random() < 0.5) await pause(Math.random() * 3);
  }
}

async function write() {
  for (;;) {
    const batch = await spool.freeze(lane, 1 + Math.floor(Math.random() * 20), 2 ** 20);
    if (batch === undefined) {
      if (mode === 'drain') return;
      await pause(1);
      continue;
    }
    const ids = batch.entries.map(({ bytes }) => Buffer.from(bytes).toString().split(' ')[0]);
    say(`F ${batch.record.token} ${ids.join(',')}`);
    await pause(Math.random() * 5);
    say(`W ${batch.record.token}`);
    await pause(Math.random() * 5);
    await spool.commit(batch);
  }
}

if (mode !== 'drain') void append();
await Promise.all([write(), write()]);
await spool.close();
