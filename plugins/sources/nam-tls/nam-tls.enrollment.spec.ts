import { type ConnectionOptions } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { SourceRig } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const EVENT = '{"ActivityType":"FileSystem","Path":"D:\\\\Üben\\\\ß.txt"}';

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

describe('unknown agents', () => {
  it('closes silently on a valid event', async () => {
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n`);
    await client.closed;
    await rig.closed('unknown_agent');
    expect([client.received, rig.bans(), rig.batches]).toEqual(['', [], []]);
    expect(rig.value('gateway_unknown_agents_total')).toBe(1);
    expect(rig.context.logger.lines.filter((line) => line.level === 'info')).toHaveLength(1);
  });

  it('closes silently on Hello', async () => {
    const client = await rig.connect();
    client.socket.write('{"MessageType":"Hello","Ack":true}\n');
    await client.closed;
    await rig.closed('unknown_agent');
    expect(rig.bans()).toEqual([]);
  });

  it.each(['\ufeff', '\n\0\n \t\r\n', '\0 '])('enrolls after %j', async (before) => {
    rig.context.services.enrollmentOutcome.set({ status: 'Enrolled' });
    const client = await rig.connect();
    client.socket.write(
      `${before}{"MessageType":"EnrollmentRequest","EnrollmentCode":"abc","AgentHost":"FS-AGENT-01"}\0\r\n`,
    );
    await client.closed;
    expect(client.received).toContain('"Status":"Enrolled"');
    expect(rig.bans()).toEqual([]);
  });

  it('bans for a violation, without a dead letter', async () => {
    const client = await rig.connect();
    client.socket.write('SSH-2.0-x\r\n');
    await client.closed;
    await rig.closed('protocol_violation');
    expect([rig.bans(), rig.batches]).toEqual([['protocol_violation'], []]);
  });

  it('holds at most 64 KiB of a first message', async () => {
    const client = await rig.connect();
    client.socket.write('{"ActivityType":"FileSystem","P":"' + 'x'.repeat(150_000));
    await client.closed;
    await rig.closed('oversized_message');
    expect(rig.bans()).toEqual([]);
  });

  it('closes when nothing whole comes in time; single bytes do not extend it', async () => {
    rig.settings({ firstMessageTimeoutMs: 400 });
    const begun = Date.now();
    const client = await rig.connect();
    const trickle = setInterval(() => client.socket.write(' '), 50);
    await client.closed;
    clearInterval(trickle);
    // Bytes that extend it would keep it open indefinitely.
    expect(Date.now() - begun).toBeLessThan(5_000);
    await rig.closed('first_message_timeout');
    expect(rig.bans()).toEqual([]);
  });
});

describe('enrollment', () => {
  const request = (fields: object): string =>
    `${JSON.stringify({ MessageType: 'EnrollmentRequest', ...fields })}\n`;
  const valid = request({ EnrollmentCode: 'abc', AgentHost: 'FS-AGENT-01', AgentVersion: '10.0.0' });

  it('answers Enrolled in one line and closes', async () => {
    rig.context.services.enrollmentOutcome.set({ status: 'Enrolled' });
    const client = await rig.connect();
    client.socket.write(valid);
    await client.closed;
    expect(client.received).toBe(
      `{"MessageType":"EnrollmentResponse","Status":"Enrolled","SpkiHash":"${agent.spkiHash}"}\n`,
    );
    expect(client.error).toBeUndefined();
    expect(rig.context.services.enrollments).toEqual([
      {
        code: 'abc',
        hostname: 'FS-AGENT-01',
        agentVersion: '10.0.0',
        spkiHash: agent.spkiHash,
        sourceIp: '127.0.0.1',
      },
    ]);
    await rig.closed('enrolled');
    expect(rig.bans()).toEqual([]);
  });

  it('answers a peer that has ended its side, and one that sent more than the request', async () => {
    rig.context.services.enrollmentOutcome.set({ status: 'Enrolled' });
    const half = await rig.connect({ allowHalfOpen: true } as ConnectionOptions);
    half.socket.end(valid);
    await half.closed;
    expect(half.received).toContain('"Enrolled"');
    const chatty = await rig.connect();
    chatty.socket.write(valid + `${EVENT}\n`.repeat(5_000));
    await chatty.closed;
    expect(chatty.received).toContain('"Enrolled"');
  });

  it('answers a rejection and bans', async () => {
    rig.context.services.enrollmentOutcome.set({
      status: 'Rejected',
      error: 'ExpiredCode',
      message: 'The code has expired.',
    });
    const client = await rig.connect();
    client.socket.write(valid);
    await client.closed;
    expect(JSON.parse(client.received)).toEqual({
      MessageType: 'EnrollmentResponse',
      Status: 'Rejected',
      Error: 'ExpiredCode',
      Message: 'The code has expired.',
    });
    await rig.closed('enrollment_rejected');
    expect(rig.bans()).toEqual(['expired_enrollment_code']);
    expect(rig.value('gateway_enrollments_total', { outcome: 'expired_enrollment_code' })).toBe(1);
  });

  it.each([
    ['no code', { AgentHost: 'X' }],
    ['a code that is no string', { EnrollmentCode: 1, AgentHost: 'X' }],
    ['an endless code', { EnrollmentCode: 'x'.repeat(513), AgentHost: 'X' }],
    ['no host', { EnrollmentCode: 'abc' }],
    ['a host with a blank', { EnrollmentCode: 'abc', AgentHost: 'FS 1' }],
    ['a host with another letter', { EnrollmentCode: 'abc', AgentHost: 'Büro' }],
    ['a host that is too long', { EnrollmentCode: 'abc', AgentHost: 'x'.repeat(254) }],
    ['an unprintable host', { EnrollmentCode: 'abc', AgentHost: 'a\u001b[31m' }],
    ['a version that is no string', { EnrollmentCode: 'abc', AgentHost: 'X', AgentVersion: 10 }],
  ])('rejects %s as malformed and bans', async (_what, fields) => {
    const client = await rig.connect();
    client.socket.write(request(fields));
    await client.closed;
    expect(JSON.parse(client.received)).toMatchObject({ Status: 'Rejected', Error: 'MalformedRequest' });
    expect(rig.bans()).toEqual(['malformed_enrollment_request']);
    expect(rig.context.services.enrollments).toEqual([]);
  });

  it('closes without an answer or a ban when the gateway cannot say', async () => {
    const client = await rig.connect();
    client.socket.write(valid);
    await client.closed;
    await rig.closed('enrollment_unavailable');
    expect([client.received, rig.bans()]).toEqual(['', []]);
  });

  it('enrolls an allowlisted key again, and keeps the events it sent along', async () => {
    rig.allow();
    rig.context.services.enrollmentOutcome.set({ status: 'Enrolled' });
    const client = await rig.connect();
    client.socket.write(`${valid}${EVENT}\n`);
    await client.closed;
    expect(client.received).toContain('"Enrolled"');
    expect(rig.lines()).toEqual([EVENT]);
  });
});
