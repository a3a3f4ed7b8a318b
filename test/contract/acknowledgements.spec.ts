import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AgentClient,
  AgentProgress,
  ChunkBuilder,
  loadOrCreateIdentity,
  MemoryUnacknowledged,
  runAgent,
  type AgentIdentity,
  type MessageSource,
} from '@activity-gateway/agent';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { namTlsSource } from '../../plugins/sources/nam-tls/index.js';
import { DurableStore } from '../support/durable-store.js';
import { pollUntil } from '../support/poll.js';
import { SourceRig } from '../support/source-rig.js';

let server: TestCertificate;
let identity: AgentIdentity;
let dir: string;
let rig: SourceRig;
let store: DurableStore;

beforeAll(async () => {
  server = await createTestCertificate({ commonName: 'gateway' });
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'acks-'));
  identity = await loadOrCreateIdentity(dir, 'agent');
});
afterEach(async () => {
  await rig.stop();
  await rm(dir, { recursive: true, force: true });
});

async function startRig(kept: DurableStore, marks = true): Promise<void> {
  store = kept;
  const agent = { ...identity, notAfter: new Date() } as unknown as TestCertificate;
  rig = new SourceRig({
    server,
    agent,
    create: (context) => namTlsSource.create({ max_batch_events: 50 }, context),
    ...(marks && { marks: { durable: (stream) => store.durable(stream) } }),
  });
  rig.emit = (batch) => store.emit(batch);
  await rig.start();
  rig.allow();
}

const client = (): AgentClient =>
  new AgentClient({ host: '127.0.0.1', port: rig.port, identity, serverSpki: server.spkiHash });

const line = (n: number): string => `{"ActivityType":"FileSystem","N":${n}}`;

/** So many numbered events, twenty in a chunk. */
function numbered(count: number): MessageSource {
  let next = 0;
  return async (signal) => {
    if (signal.aborted) return undefined;
    const builder = new ChunkBuilder();
    while (next < count && builder.lines < 20) builder.add('file', line(next++));
    await sleep(1);
    return builder.take();
  };
}

/**
 * Runs an agent while the gateway's memory is lost again and again; gives the agent's own account. A crash is due after
 * eleven flushes. It waits until memory holds something to lose: for the negative control, something acknowledged.
 */
async function runUnderCrashes(total: number, crashes: number): Promise<AgentProgress> {
  const over = new AbortController();
  const progress = new AgentProgress();
  const running = runAgent({
    client: client(),
    source: numbered(total),
    acks: { agentHost: 'A' },
    backoff: { initialMs: 5, maxMs: 10 },
    maxFailures: 1_000,
    progress,
  }).finally(() => over.abort());
  const ready = (): boolean =>
    store.waiting > 0 && (store.policy === 'stored' || progress.acknowledged > new Set(store.stored).size);
  let flushes = 0;
  for (let crashed = 0; !over.signal.aborted;) {
    await sleep(5);
    if (flushes < 11 || crashed >= crashes) {
      store.flush(1 + (flushes % 7));
      flushes += 1;
    } else if (ready()) {
      if (store.policy === 'stored') store.flush(1);
      store.crash();
      crashed += 1;
      flushes = 0;
      await rig.restart();
    }
  }
  await running;
  return progress;
}

function duplicates(): number {
  return store.stored.length - new Set(store.stored).size;
}

const all = (total: number): string[] => Array.from({ length: total }, (_, n) => line(n));

describe('an agent with acknowledgements against a gateway that loses its memory', () => {
  it('stores each message once where resent ones are recognised, and in order', async () => {
    await startRig(new DurableStore());
    const progress = await runUnderCrashes(12_000, 12);
    expect(store.stored).toEqual(all(12_000));
    expect(progress).toMatchObject({ sent: 12_000, acknowledged: 12_000, unconfirmed: 0, maybeTwice: 0 });
    expect(progress.reconnects).toBeGreaterThan(5);
    expect(progress.resent).toBeGreaterThan(0);
    expect(rig.value('gateway_source_messages_repeated_total')).toBeGreaterThan(0);
  }, 60_000);

  it('loses nothing where they are not, and counts what may be stored twice', async () => {
    await startRig(new DurableStore(), false);
    const progress = await runUnderCrashes(12_000, 12);
    expect([...new Set(store.stored)].sort()).toEqual(all(12_000).sort());
    expect(progress).toMatchObject({ acknowledged: 12_000, unconfirmed: 0 });
    expect(duplicates()).toBeGreaterThan(0);
    expect(duplicates()).toBeLessThanOrEqual(progress.maybeTwice);
  }, 60_000);

  // The negative control: the same run sees the loss when messages are acknowledged before they are stored.
  it('loses acknowledged messages when they are acknowledged as they come', async () => {
    await startRig(new DurableStore('received'));
    const progress = await runUnderCrashes(12_000, 12);
    expect(progress.acknowledged).toBe(12_000);
    expect(new Set(store.stored).size).toBeLessThan(12_000);
  }, 60_000);
});

describe('an agent with acknowledgements behind a balancer', () => {
  let flushing: NodeJS.Timeout;
  afterEach(() => clearInterval(flushing));

  /** Runs an agent; another gateway takes the place of the first, whose messages are stored but not acknowledged. */
  async function move(
    otherGatewayAfterMs: number,
  ): Promise<{ progress: AgentProgress; over: Promise<unknown> }> {
    await startRig(new DurableStore());
    const progress = new AgentProgress();
    const over = runAgent({
      client: client(),
      source: numbered(500),
      acks: { agentHost: 'A', otherGatewayAfterMs },
      backoff: { initialMs: 5, maxMs: 10 },
      progress,
    });
    await pollUntil('messages at the first gateway', () => store.waiting > 5);
    await rig.restart('another-gateway');
    store.flush();
    return { progress, over };
  }

  function keepFlushing(): void {
    flushing = setInterval(() => store.flush(), 5);
  }

  it('waits for the gateway that took its messages, and none of them is stored twice', async () => {
    const { progress, over } = await move(60_000);
    const first = store;
    store = new DurableStore();
    await pollUntil('several answers of the other one', () => progress.reconnects >= 3);
    expect(progress).toMatchObject({ resent: 0, acknowledged: 0 });
    store = first;
    keepFlushing();
    await rig.restart();
    await over;
    expect(store.stored).toEqual(all(500));
    expect(progress).toMatchObject({ acknowledged: 500, maybeTwice: 0 });
  }, 60_000);

  it('resends to another one when the first stays away, loses nothing, and counts what may be stored twice', async () => {
    const { progress, over } = await move(200);
    const first = store;
    store = new DurableStore();
    keepFlushing();
    await over;
    const inBoth = first.stored.filter((message) => store.stored.includes(message));
    expect(store.stored).toEqual(all(500));
    expect(inBoth.length).toBeGreaterThan(0);
    expect(progress.acknowledged).toBe(500);
    expect(progress.maybeTwice).toBeGreaterThanOrEqual(inBoth.length);
  }, 60_000);
});

describe('what is sent again while the original is on its way', () => {
  const hello = (sequence: number): string =>
    `${JSON.stringify({ MessageType: 'Hello', Ack: true, Stream: 'stream-0123456789', Sequence: sequence })}\n`;
  const tenLines = `${Array.from({ length: 10 }, (_, n) => line(n)).join('\n')}\n`;

  it('waits for the original, and is then recognised', async () => {
    await startRig(new DurableStore());
    const first = await rig.connect();
    first.socket.write(hello(1) + tenLines);
    await pollUntil('the first copy', () => store.waiting > 0);
    first.socket.destroy();
    const second = await rig.connect();
    second.socket.write(hello(1) + tenLines + line(10));
    await sleep(100);
    expect(second.received).toBe('');
    store.flush();
    await pollUntil('the answer', () => second.received.includes('"Sequence":10'));
    second.socket.end();
    await pollUntil('the new message', () => store.waiting > 0);
    store.flush();
    await second.closed;
    expect(store.stored).toEqual(Array.from({ length: 11 }, (_, n) => line(n)));
    expect(second.received).toContain('"Messages":11}');
  });

  it('does not take the first half of a message for the message of its number', async () => {
    await startRig(new DurableStore());
    const leef = 'LEEF:1.0|V|P|1|E|src=192.0.2.1\tusrName=alice';
    const first = await rig.connect();
    first.socket.end(hello(1) + tenLines + leef.slice(0, -3));
    await pollUntil('the first copy', () => store.waiting > 0);
    store.flush();
    await first.closed;
    const discarded = (): number => rig.value('gateway_frame_bytes_discarded_total', { reason: 'ended' });
    await pollUntil('the half that is counted', () => discarded() === leef.length - 3);
    const second = await rig.connect();
    second.socket.write(`${hello(11)}${leef}\n`);
    await pollUntil('the whole message', () => store.waiting > 0);
    store.flush();
    await pollUntil('the Ack', () => second.received.includes('"Messages":1}'));
    expect(store.stored.at(-1)).toBe(leef);
    expect(store.stored).toHaveLength(11);
  });

  it('ends an older connection of the stream that is still open', async () => {
    await startRig(new DurableStore());
    const first = await rig.connect();
    first.socket.write(hello(1) + tenLines);
    await pollUntil('the first copy', () => store.waiting > 0);
    const second = await rig.connect();
    second.socket.write(hello(1) + tenLines);
    await first.closed;
    store.flush();
    await pollUntil('the answer', () => second.received.includes('"Sequence":10'));
    await pollUntil('the Ack', () => second.received.includes('"Messages":10}'));
    expect(store.stored).toHaveLength(10);
    expect(rig.value('gateway_agent_connections_closed_total', { reason: 'superseded' })).toBe(1);
  });

  it('answers a Hello whose stream it cannot follow without a Sequence', async () => {
    await startRig(new DurableStore());
    for (const wrong of [{ Stream: 'short', Sequence: 1 }, { Stream: 'stream-0123456789' }]) {
      const peer = await rig.connect();
      peer.socket.write(`${JSON.stringify({ MessageType: 'Hello', Ack: true, ...wrong })}\n${tenLines}`);
      await pollUntil('the answer', () => peer.received !== '');
      expect(peer.received).toBe('{"MessageType":"Ack","Messages":0,"Gateway":"test-gateway"}\n');
      peer.socket.destroy();
    }
  });
});

describe('an agent that may keep little', () => {
  it('takes nothing more from its source until there is room', async () => {
    await startRig(new DurableStore());
    const progress = new AgentProgress();
    const held = new MemoryUnacknowledged({ messages: 100, bytes: 1_000_000 });
    const acks = { agentHost: 'A', held };
    const running = runAgent({ client: client(), source: numbered(1_000), acks, progress });
    await pollUntil('a full hold', () => held.size >= 100);
    await sleep(100);
    expect(progress.sent).toBe(100);
    const timer = setInterval(() => store.flush(), 5);
    await running;
    clearInterval(timer);
    expect(store.stored).toEqual(all(1_000));
    expect(held.size).toBe(0);
  });

  it('gives up what is not acknowledged in time after a stop, and says how much', async () => {
    await startRig(new DurableStore());
    const progress = new AgentProgress();
    const stop = new AbortController();
    const acks = { agentHost: 'A' };
    const options = { client: client(), source: numbered(1_000_000), acks, progress, stop: stop.signal };
    const running = runAgent({ ...options, endTimeoutMs: 300 });
    await pollUntil('some messages', () => progress.sent > 100);
    store.flush();
    await pollUntil('some Acks', () => progress.acknowledged > 0);
    stop.abort();
    await running;
    expect(progress.unconfirmed).toBe(progress.sent - progress.acknowledged);
  });
});
