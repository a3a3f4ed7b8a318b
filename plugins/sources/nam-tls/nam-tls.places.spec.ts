import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { SourceRig, until } from '../../../test/support/source-rig.js';
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
    create: (context) => namTlsSource.create({ max_batch_events: 100 }, context),
  });
  await rig.start();
});

afterEach(() => rig.stop());

const connections = (): typeof rig.context.services.connections => rig.context.services.connections;

describe('a place of a connection', () => {
  it('is asked for with the key when the handshake has proved it', async () => {
    rig.allow();
    await rig.connect();
    await until(() => connections().identifications.length === 1, 'identified');
    expect(connections().identifications).toEqual([{ connectionId: 'c1', key: agent.spkiHash }]);
  });

  it('is asked for when the key was enrolled after the handshake, and once', async () => {
    const client = await rig.connect();
    rig.allow();
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'an event');
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 2, 'another');
    expect(connections().identifications).toEqual([{ connectionId: 'c1', key: agent.spkiHash }]);
  });

  it('is given up after the Acks', async () => {
    rig.allow();
    const client = await rig.connect();
    client.socket.write(`${HELLO}\n${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'an event');
    connections().end('c1', 'displaced');
    expect(connections().closedIds).toEqual([]);
    rig.batches[0]!.settle({ delivered: 1, deadLettered: 0, dropped: 0 });
    await rig.closed('displaced');
    await client.closed;
    expect(client.received).toBe('{"MessageType":"Ack","Messages":1}\n');
  });

  it('that there is not is told by an end; what the agent has written is taken', async () => {
    rig.allow();
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'an event');
    client.socket.once('end', () => client.socket.end(`${EVENT}\n`));
    connections().end('c1', 'limit');
    await rig.closed('limit');
    expect(rig.lines()).toEqual([EVENT, EVENT]);
  });

  it('is given up before the first message too', async () => {
    rig.allow();
    const client = await rig.connect();
    await until(() => connections().identifications.length === 1, 'identified');
    connections().end('no such connection', 'displaced');
    connections().end('c1', 'displaced');
    await client.closed;
    await rig.closed('displaced');
  });
});

describe('the silence of a connection', () => {
  it('is the time since the last byte, and none while the gateway makes the agent wait', async () => {
    rig.allow();
    let release = (): void => undefined;
    rig.emit = (batch) => {
      rig.batches.push(batch);
      return new Promise((resolve) => (release = resolve));
    };
    const client = await rig.connect();
    await until(() => (connections().silentMs('c1') ?? 0) >= 30, 'some silence');
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'an event');
    expect(connections().silentMs('c1')).toBe(0);
    release();
    await until(() => (connections().silentMs('c1') ?? 0) > 0, 'silence again');
    expect(connections().silentMs('c2')).toBeUndefined();
  });

  it('is endless when the agent has ended it, so that it gives way first', async () => {
    rig.allow();
    const client = await rig.connect();
    client.socket.end(`${HELLO}\n${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'an event');
    await until(() => (connections().silentMs('c1') ?? 0) > 1e9, 'endless silence');
    connections().end('c1', 'displaced');
    rig.batches[0]!.settle({ delivered: 1, deadLettered: 0, dropped: 0 });
    await rig.closed('ended');
    expect(client.received).toBe('{"MessageType":"Ack","Messages":1}\n');
  });
});
