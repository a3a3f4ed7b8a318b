import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { SourceRig, until, type RigClient } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const HELLO = '{"MessageType":"Hello","Ack":true,"AgentHost":"FS-AGENT-01"}';
const EVENT = '{"ActivityType":"FileSystem","Path":"a"}';

let server: TestCertificate;
let agent: TestCertificate;
let rig: SourceRig;

beforeAll(async () => {
  server = await createTestCertificate({ commonName: 'gateway' });
  agent = await createTestCertificate({ commonName: 'agent' });
});

beforeEach(async () => {
  rig = new SourceRig({
    server,
    agent,
    known: true,
    create: (context) => namTlsSource.create({ max_batch_events: 100 }, context),
  });
  await rig.start();
  rig.allow();
});

afterEach(() => rig.stop());

/** Numbers of all Acks that came, in order. */
function acks(client: RigClient): number[] {
  const lines = client.received.split('\n').slice(0, -1);
  return lines.map((line) => {
    const message = JSON.parse(line) as { MessageType: string; Messages: number };
    expect(Object.keys(message)).toEqual(['MessageType', 'Messages']);
    expect(message.MessageType).toBe('Ack');
    return message.Messages;
  });
}

const last = (client: RigClient): number => acks(client).at(-1) ?? 0;

/** Settles a batch as the runtime does when every sink has it. */
function store(index: number, dropped = 0): void {
  const batch = rig.batches[index]!;
  const size = batch.size;
  batch.settle({ delivered: size - dropped, deadLettered: 0, dropped, ...(dropped > 0 && { reason: 'x' }) });
}

/** Sends events one by one, each a batch of its own. */
async function sendBatches(client: RigClient, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const before = rig.batches.length;
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length > before, 'a batch');
  }
}

async function hello(): Promise<RigClient> {
  const client = await rig.connect({ ALPNProtocols: [] });
  client.socket.setNoDelay(true);
  client.socket.write(`${HELLO}\n`);
  await until(() => rig.context.services.presenceCalls.length > 0, 'connected');
  return client;
}

describe('acknowledgements', () => {
  it('counts each message once it is settled: events, rejected and invalid ones, no empty lines', async () => {
    const client = await rig.connect();
    const bad = Buffer.concat([Buffer.from('{"ActivityType":"'), Buffer.from([0xff]), Buffer.from('"}')]);
    const head = Buffer.from(`${HELLO}\n\n${EVENT}\r\n\r\n\n{"ActivityType":"NoSuchType"}\n`);
    client.socket.write(Buffer.concat([head, bad, Buffer.from(`\n${EVENT}\n\n`)]));
    await until(() => rig.batches.reduce((sum, { size }) => sum + size, 0) === 4, 'four messages');
    expect(client.received).toBe('');
    rig.batches.forEach((_, index) => store(index));
    await until(() => last(client) === 4, 'the Ack');
  });

  it('acknowledges only what is durable without a gap, in whatever order batches settle', async () => {
    const client = await hello();
    await sendBatches(client, 4);
    store(3);
    store(1);
    await sendBatches(client, 1);
    expect(client.received).toBe('');
    store(0);
    await until(() => last(client) === 2, 'the first two');
    store(4);
    store(2);
    await until(() => last(client) === 5, 'all');
    expect(acks(client)).toEqual([...new Set(acks(client))].sort((a, b) => a - b));
  });

  it('acknowledges a line that is no message, so that the agent does not resend it indefinitely', async () => {
    const client = await rig.connect();
    client.socket.write(
      `junk\n\0\n${HELLO}\n${EVENT}\n{"ActivityType":"FileSystem","Size":NaN}\n \n${EVENT}\n`,
    );
    await until(() => rig.batches.reduce((sum, { size }) => sum + size, 0) === 4, 'all lines');
    rig.batches.forEach((_, index) => store(index));
    // Of what followed the Hello: the line before it is no message that the agent counts.
    await until(() => last(client) === 3, 'the Ack');
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.lines().length === 3, 'an event after it');
    expect(rig.bans()).toEqual([]);
  });

  it('closes after ten lines that are no messages only when they are acknowledged, without a ban', async () => {
    const client = await hello();
    client.socket.write(`${EVENT}\n${'junk\n'.repeat(10)}${EVENT}\n`);
    await until(() => rig.batches.reduce((sum, { size }) => sum + size, 0) === 12, 'all lines');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([client.socket.destroyed, client.received]).toEqual([false, '']);
    rig.batches.forEach((_, index) => store(index));
    await client.closed;
    expect(last(client)).toBe(12);
    await rig.closed('protocol_violation');
    expect(rig.bans()).toEqual([]);
  });

  it('sends an Ack soon after the settlement, and few of them while messages stream', async () => {
    const client = await hello();
    rig.emit = async (batch) => {
      rig.batches.push(batch);
      batch.settle({ delivered: batch.size, deadLettered: 0, dropped: 0 });
    };
    const began = performance.now();
    client.socket.write(`${EVENT}\n`);
    await until(() => last(client) === 1, 'an Ack at once');
    expect(performance.now() - began).toBeLessThan(1_000);
    const line = `${EVENT}\n`;
    for (let n = 0; n < 40; n += 1) {
      client.socket.write(line.repeat(500));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => last(client) === 20_001, 'all');
    const elapsed = performance.now() - began;
    expect(acks(client).length).toBeLessThanOrEqual(elapsed / 20 + 2);
    expect(rig.batches.length).toBeGreaterThan(acks(client).length);
  });

  it('says nothing to an agent that did not ask, or asked otherwise', async () => {
    rig.emit = async (batch) => {
      rig.batches.push(batch);
      batch.settle({ delivered: batch.size, deadLettered: 0, dropped: 0 });
    };
    for (const first of [EVENT, '{"MessageType":"Hello"}', '{"MessageType":"Hello","Ack":"true"}']) {
      const client = await rig.connect();
      client.socket.end(`${first}\n${EVENT}\n`);
      await client.closed;
      expect(client.received).toBe('');
    }
  });

  it('ends only after the last Ack when the agent has ended its side', async () => {
    const client = await hello();
    client.socket.end(`${EVENT}\n`.repeat(3) + EVENT);
    await until(() => rig.batches.reduce((sum, { size }) => sum + size, 0) === 4, 'the last line too');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([client.socket.destroyed, client.received]).toEqual([false, '']);
    rig.batches.forEach((_, index) => store(index));
    await client.closed;
    expect(last(client)).toBe(4);
    expect(client.error).toBeUndefined();
    await rig.closed('ended');
  });

  it('does not wait for the Acks of a peer that has gone', async () => {
    const { client, tcp } = await rig.connectOver();
    client.socket.write(`${HELLO}\n${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'a batch');
    tcp.resetAndDestroy();
    await rig.closed('reset');
    store(0);
    expect(client.received).toBe('');
  });

  it('acknowledges up to a dropped message, never it or what follows, and closes', async () => {
    const client = await hello();
    await sendBatches(client, 4);
    store(2, 1);
    store(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(client.socket.destroyed).toBe(false);
    store(0);
    store(1);
    await client.closed;
    expect(last(client)).toBe(2);
    await rig.closed('not_durable');
    expect(rig.bans()).toEqual([]);
  });

  it('does not acknowledge what the pipeline refuses', async () => {
    const client = await hello();
    rig.emit = async (batch) => {
      batch.settle({ delivered: 0, deadLettered: 0, dropped: batch.size, reason: 'given after the stop' });
      throw new Error('stopped');
    };
    client.socket.write(`${EVENT}\n`);
    await client.closed;
    expect(client.received).toBe('');
    await rig.closed('not_durable');
  });

  it('hands over what has arrived when it is stopped, and ends after the last Ack', async () => {
    const client = await hello();
    client.socket.write(`${EVENT}\n${EVENT}\n{"half`);
    await until(() => rig.batches.length === 1, 'events');
    const stopped = rig.source.stop?.(Date.now() + 5_000);
    // What comes now is not read any more; it must not reset the connection under the last Ack.
    client.socket.write(`${EVENT}\n`.repeat(10_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.socket.destroyed).toBe(false);
    rig.batches.forEach((_, index) => store(index));
    await until(() => last(client) >= 2, 'the last Ack');
    client.socket.end();
    await client.closed;
    await stopped;
    expect(last(client)).toBe(rig.batches.reduce((sum, { size }) => sum + size, 0));
    await rig.closed('stopping');
  });

  it('stops by its deadline although nothing settles', async () => {
    const client = await hello();
    await sendBatches(client, 1);
    const began = Date.now();
    await rig.source.stop?.(began + 400);
    // Without the deadline it would wait 30 s for Acks.
    expect(Date.now() - began).toBeLessThan(5_000);
    await client.closed;
    expect(client.received).toBe('');
  });

  it('closes at once when the agent is removed, also while it waits for the last Acks', async () => {
    const client = await hello();
    client.socket.end(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'event');
    rig.context.services.allowlist.set(new Map());
    await client.closed;
    expect(client.received).toBe('');
  });

  it('serves a peer that never reads its Acks in bounded memory', async () => {
    const client = await hello();
    client.socket.pause();
    rig.emit = async (batch) => {
      rig.batches.length = 0;
      rig.batches.push(batch);
      batch.settle({ delivered: batch.size, deadLettered: 0, dropped: 0 });
    };
    for (let n = 0; n < 200; n += 1) {
      client.socket.write(`${EVENT}\n`.repeat(1_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => client.socket.writableLength === 0, 'all read by the gateway');
    expect(rig.served[0]!.writableLength).toBeLessThan(1_000);
    client.socket.resume();
    await until(() => last(client) === 200_000, 'the latest number');
  });
});
