import { describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  PartialWriteError,
  RetryableError,
  type Recovery,
  type RejectedRow,
  type Sink,
} from '../api/index.js';
import { encodeOnly } from '../helpers/index.js';
import { BatchWriter, TOKEN_SAFE_MS } from './batch-writer.js';
import type { SinkBatch } from './queue.js';

const signal = new AbortController().signal;
const refusal = new PartialWriteError('Row 0 is refused.', '469', [0]);
const row: RejectedRow = {
  code: 'bad',
  sinkCode: '469',
  field: '',
  message: 'Bad.',
  raw: '{}',
  origin: { sender: '', senderHost: '', sourceIp: '::' },
  receivedAt: 0,
  entry: 0,
};
const busy = new RetryableError('Busy.', '202');

function batch(uncertain?: boolean): SinkBatch {
  const rest = { sink: 's', destination: 'd', entries: [], token: 't', rows: 2, bytes: 9, receivedAt: 0 };
  return uncertain === undefined ? rest : { ...rest, uncertain };
}

/** A sink that does what is next in the list, and says what it was asked. */
function scripted(...script: (Error | number)[]): { sink: Sink; calls: unknown[] } {
  const calls: unknown[] = [];
  const step = async (name: string, ...args: unknown[]): Promise<Recovery> => {
    calls.push([name, ...args]);
    const next = script.shift() ?? 0;
    if (next instanceof Error) throw next;
    return { found: [], rejected: Array.from({ length: next }, () => row) };
  };
  const sink: Sink = {
    open: ({ name }) => encodeOnly(name, () => new Uint8Array()),
    write: async (_entries, token) => void (await step('write', token)),
    recover: (_entries, token, { refusal: error, uncertain }) =>
      step('recover', token, error?.code, uncertain),
  };
  return { sink, calls };
}

describe('BatchWriter', () => {
  it('writes', async () => {
    const { sink, calls } = scripted();
    const writer = new BatchWriter(sink, batch());
    await writer.attempt(signal);
    expect(calls).toEqual([['write', 't']]);
    expect(writer.rejected).toEqual([]);
  });

  it('recovers at once what is refused, and never writes it as a whole again', async () => {
    const { sink, calls } = scripted(refusal, busy, busy, 1);
    const writer = new BatchWriter(sink, batch());
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    expect(writer.rejected).toEqual([]);
    await writer.attempt(signal);
    const recover = ['recover', 't', '469', false];
    expect(calls).toEqual([['write', 't'], recover, recover, recover]);
    expect(writer.rejected).toEqual([row]);
    await writer.attempt(signal);
    expect(calls).toHaveLength(4);
  });

  it('says when an attempt before the refusal has ended without an answer', async () => {
    const { sink, calls } = scripted(busy, refusal, 1);
    const writer = new BatchWriter(sink, batch());
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    await writer.attempt(signal);
    expect(calls).toEqual([
      ['write', 't'],
      ['write', 't'],
      ['recover', 't', '469', true],
    ]);
  });

  it('leaves a refused batch alone where the sink cannot recover', async () => {
    const { sink, calls } = scripted(refusal, refusal);
    const writer = new BatchWriter({ write: (...args) => sink.write(...args) }, batch());
    await expect(writer.attempt(signal)).rejects.toBe(refusal);
    await expect(writer.attempt(signal)).rejects.toBe(refusal);
    expect(calls).toHaveLength(2);
  });

  it('leaves refused dead letters alone: nothing can be made of them', async () => {
    const { sink, calls } = scripted(refusal, refusal);
    const writer = new BatchWriter(sink, { ...batch(), destination: deadLetters.name });
    await expect(writer.attempt(signal)).rejects.toBe(refusal);
    await expect(writer.attempt(signal)).rejects.toBe(refusal);
    expect(calls).toEqual([
      ['write', 't'],
      ['write', 't'],
    ]);
  });

  it('recovers a batch that may be stored, and never writes it', async () => {
    const { sink, calls } = scripted(busy, 2);
    const writer = new BatchWriter(sink, batch(true));
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    await writer.attempt(signal);
    expect(calls).toEqual([
      ['recover', 't', undefined, true],
      ['recover', 't', undefined, true],
    ]);
    expect(writer.rejected).toHaveLength(2);
  });

  it('recovers a batch whose token may be forgotten after long trouble', async () => {
    let now = 1_000;
    const { sink, calls } = scripted(busy, busy, 1);
    const writer = new BatchWriter(sink, batch(), () => now);
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    now += TOKEN_SAFE_MS;
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    now += 1;
    await writer.attempt(signal);
    expect(calls).toEqual([
      ['write', 't'],
      ['write', 't'],
      ['recover', 't', undefined, true],
    ]);
  });

  it('recovers a batch of unknown age after the clock was set back, and from then on', async () => {
    let now = 10_000;
    const { sink, calls } = scripted(busy, busy);
    const writer = new BatchWriter(sink, batch(), () => now);
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    now -= 1;
    await expect(writer.attempt(signal)).rejects.toBe(busy);
    now += 2;
    await writer.attempt(signal);
    expect(calls).toEqual([
      ['write', 't'],
      ['recover', 't', undefined, true],
      ['recover', 't', undefined, true],
    ]);
  });

  it('knows the dead letters that a completed batch has left before', async () => {
    const { sink } = scripted(3);
    const writer = new BatchWriter(sink, batch(true));
    await writer.attempt(signal);
    expect(writer.rejected).toHaveLength(3);
  });
});
