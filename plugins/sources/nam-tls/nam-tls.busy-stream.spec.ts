import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { SequenceRange } from '@activity-gateway/pipeline/api';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { SourceRig, until, type RigClient } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const STREAM = 'stream-0123456789';
const HELLO = `{"MessageType":"Hello","Ack":true,"AgentHost":"FS-AGENT-01","Stream":"${STREAM}","Sequence":1}\n`;
const EVENT = '{"ActivityType":"FileSystem","Path":"a"}\n';

let server: TestCertificate;
let agent: TestCertificate;
let rig: SourceRig;
/** Claims that wait for what is durable of the stream. */
let asked: ((durable: readonly SequenceRange[]) => void)[];

beforeAll(async () => {
  server = await createTestCertificate({ commonName: 'gateway' });
  agent = await createTestCertificate({ commonName: 'agent' });
});

beforeEach(async () => {
  asked = [];
  rig = new SourceRig({
    server,
    agent,
    create: (context) => namTlsSource.create({ max_batch_events: 100 }, context),
    marks: { durable: () => new Promise((resolve) => asked.push(resolve)) },
  });
  rig.emit = async (batch) => {
    rig.batches.push(batch);
    batch.settle({ delivered: batch.size, deadLettered: 0, dropped: 0 });
  };
  await rig.start();
  rig.allow();
});

afterEach(() => rig.stop());

/** The agent is told nothing, so that it sends everything again, and nothing of it was taken without its numbers. */
async function expectNothingTaken(client: RigClient): Promise<void> {
  await client.closed;
  expect(client.received).toBe('');
  expect(rig.batches).toEqual([]);
}

describe('a numbered stream that its connection does not get', () => {
  it('is not taken when the gateway stops before it is granted', async () => {
    const client = await rig.connect();
    client.socket.write(HELLO + EVENT);
    await until(() => asked.length === 1, 'the claim');
    client.socket.write(EVENT + EVENT);
    // The events are there when the socket is read again.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopped = rig.source.stop!(Date.now() + 3_000);
    asked[0]!([]);
    await stopped;
    await expectNothingTaken(client);
  });
});
