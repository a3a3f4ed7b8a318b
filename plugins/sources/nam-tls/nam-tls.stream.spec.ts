import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { SourceRig, until, type RigClient } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const EVENT = '{"ActivityType":"FileSystem","Path":"D:\\\\Üben\\\\ß.txt"}';
const LEEF = 'LEEF:1.0|Vendor|Product|1|42|src=10.0.0.1';

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
});

afterEach(() => rig.stop());

describe('stream of an allowlisted agent', () => {
  beforeEach(() => rig.allow());

  it('hands events over with their origin, in order, across any chunk boundary', async () => {
    const { socket } = await rig.connect();
    socket.setNoDelay(true);
    const bytes = Buffer.from(`${EVENT}\r\n\n${LEEF}\n${EVENT}\n`);
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => rig.lines().length === 3, 'three events');
    expect(rig.lines()).toEqual([EVENT, LEEF, EVENT]);
    expect(rig.batches[0]?.origin).toEqual({
      connectionId: 'c1',
      sender: agent.spkiHash,
      senderHost: 'FS-AGENT-01',
      sourceIp: '127.0.0.1',
    });
    const events = rig.batches.flatMap((batch) => batch.events);
    expect(events.map((event) => event.type)).toEqual(['FileSystem', 'Leef', 'FileSystem']);
    expect(rig.batches.reduce((sum, batch) => sum + batch.bytes, 0)).toBe(
      Buffer.byteLength(EVENT) * 2 + LEEF.length,
    );
  });

  it('reports the agent present while it streams', async () => {
    const { socket } = await rig.connect();
    socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'event');
    socket.end();
    await rig.closed('ended');
    const calls = rig.context.services.presenceCalls;
    expect(calls.map((each) => each.call)).toEqual(['connected', 'seen', 'disconnected']);
    expect(new Set(calls.map((each) => each.spkiHash))).toEqual(new Set([agent.spkiHash]));
  });

  it('loses nothing of a large stream, and splits it into batches within the limit', async () => {
    const { socket } = await rig.connect();
    const total = 20_000;
    for (let from = 0; from < total; from += 1_000) {
      let text = '';
      for (let n = from; n < from + 1_000; n += 1) text += `{"ActivityType":"FileSystem","N":${n}}\n`;
      socket.write(text);
    }
    socket.end();
    await rig.closed('ended');
    const events = rig.batches.flatMap((batch) => batch.events);
    expect(events.map((event) => (event.value as { N: number }).N)).toEqual([...Array(total).keys()]);
    expect(Math.max(...rig.batches.map((batch) => batch.size))).toBeLessThanOrEqual(100);
  });

  it('takes octet-counted frames, between lines and without LF', async () => {
    const { socket } = await rig.connect();
    const counted = `${LEEF.length} ${LEEF}`;
    socket.write(`${EVENT}\n${counted}${counted}\n${EVENT}\n${counted}`);
    await until(() => rig.lines().length === 5, 'all of them, the last without waiting for more');
    expect(rig.lines()).toEqual([EVENT, LEEF, LEEF, EVENT, LEEF]);
  });

  it('takes a last line without LF at a clean end', async () => {
    const client = await rig.connect();
    client.socket.end(`${EVENT}\n${LEEF}`);
    await client.closed;
    await rig.closed('ended');
    expect(rig.lines()).toEqual([EVENT, LEEF]);
    expect(client.error).toBeUndefined();
  });

  it('counts a cut off JSON object as discarded, also when the stream seems to end in order', async () => {
    const client = await rig.connect();
    client.socket.end(`${EVENT}\n{"ActivityType":"File`);
    await client.closed;
    await rig.closed('ended');
    expect(rig.lines()).toEqual([EVENT]);
    expect(rig.bans()).toEqual([]);
    expect(rig.value('gateway_frame_bytes_discarded_total', { reason: 'ended' })).toBe(21);
  });

  it('discards and counts an unfinished line at a reset, and keeps the lines before it', async () => {
    const { client, tcp } = await rig.connectOver();
    client.socket.write(`${EVENT}\n{"Activ`);
    await until(() => rig.batches.length === 1, 'event');
    tcp.resetAndDestroy();
    await rig.closed('reset');
    expect(rig.lines()).toEqual([EVENT]);
    expect(rig.value('gateway_frame_bytes_discarded_total', { reason: 'reset' })).toBe(7);
  });

  it('keeps whole lines that arrived before a reset while the pipeline was full', async () => {
    let release = (): void => undefined;
    const full = new Promise<void>((resolve) => (release = resolve));
    rig.emit = async (batch) => {
      rig.batches.push(batch);
      await full;
    };
    const { client, tcp } = await rig.connectOver();
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'first batch');
    const [served] = rig.served;
    const before = served!.bytesRead;
    client.socket.write(`${LEEF}\n`);
    await until(() => served!.bytesRead > before, 'second line at the gateway');
    tcp.resetAndDestroy();
    await until(() => served!.destroyed, 'reset at the gateway');
    release();
    await rig.closed('reset');
    expect(rig.lines()).toEqual([EVENT, LEEF]);
  });

  it('makes the agent wait while the pipeline has no room', async () => {
    let release = (): void => undefined;
    const full = new Promise<void>((resolve) => (release = resolve));
    rig.settings({ idleTimeoutMs: 300 });
    rig.emit = async (batch) => {
      rig.batches.push(batch);
      await full;
    };
    const { socket } = await rig.connect();
    const line = `${JSON.stringify({ ActivityType: 'FileSystem', Fill: 'x'.repeat(9_970) })}\n`;
    for (let n = 0; n < 3_000; n += 1) socket.write(line);
    await until(() => rig.batches.length === 1, 'first batch');
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(rig.batches).toHaveLength(1);
    expect(socket.writableLength).toBeGreaterThan(15_000_000);
    release();
    socket.end();
    await rig.closed('ended');
    expect(rig.batches.reduce((sum, batch) => sum + batch.events.length, 0)).toBe(3_000);
  });

  it('dead-letters a line that is no UTF-8 and keeps the connection', async () => {
    const { socket } = await rig.connect();
    const bad = Buffer.concat([Buffer.from('{"ActivityType":"FileSystem","P":"'), Buffer.from([0xc3, 0x28])]);
    socket.write(Buffer.concat([bad, Buffer.from(`"}\n${EVENT}\n`)]));
    await until(() => rig.lines().length === 1, 'event after it');
    const [reject] = rig.batches.flatMap((batch) => batch.rejects);
    expect(reject).toMatchObject({ stage: 'frame', code: 'invalid_utf8', field: '' });
    expect(rig.bans()).toEqual([]);
  });

  it.each([
    ['text', 'hello there', 'not_json_or_leef'],
    ['broken JSON', '{"ActivityType":', 'not_json_or_leef'],
    ['a number that JSON does not know', '{"ActivityType":"FileSystem","Size":NaN}', 'not_json_or_leef'],
    ['JSON without a type', '{"a":1}', 'no_message_type'],
    ['a late control message', '{"MessageType":"Hello"}', 'unexpected_control_message'],
  ])('keeps %s as a dead letter, and the connection stays', async (_what, line, code) => {
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n${line}\n${LEEF}\n`);
    await until(() => rig.lines().length === 2, 'the events around it');
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.lines().length === 3, 'an event after it');
    expect(rig.bans()).toEqual([]);
    const [reject] = rig.batches.flatMap((batch) => batch.rejects);
    expect(reject).toMatchObject({ stage: 'frame', code });
    expect(Buffer.from(reject!.raw).toString()).toBe(line);
    expect(client.received).toBe('');
  });

  it('closes after ten lines in a row that are no messages, without a ban, and takes what still comes', async () => {
    const client = await rig.connect();
    client.socket.write(`${'junk\n'.repeat(9)}${EVENT}\n${'junk\n'.repeat(9)}${EVENT}\n`);
    await until(() => rig.lines().length === 2, 'the events between them');
    client.socket.write(`${'\n \0\n'}${'junk\n\n'.repeat(9)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.socket.destroyed).toBe(false);
    client.socket.end(`junk\n${EVENT}\n`);
    await client.closed;
    await rig.closed('protocol_violation');
    expect(rig.bans()).toEqual([]);
    expect(rig.lines()).toHaveLength(3);
    expect(rig.batches.flatMap((batch) => batch.rejects)).toHaveLength(28);
    expect(client.error).toBeUndefined();
  });

  it.each([
    ['control characters', Buffer.from('a\x01b\n')],
    ['bytes that are no UTF-8', Buffer.from('{"ActivityType":"FileSystem","P":"\xff"}\n', 'latin1')],
  ])('closes after ten lines with %s, whatever is between them', async (_what, line) => {
    const client = await rig.connect();
    for (let n = 0; n < 10; n += 1) client.socket.write(Buffer.concat([line, Buffer.from(`${EVENT}\n`)]));
    await client.closed;
    await rig.closed('protocol_violation');
    expect(rig.bans()).toEqual([]);
    expect(rig.lines()).toHaveLength(10);
  });

  it('lets an event begin the stream after lines that are no messages', async () => {
    const client = await rig.connect();
    client.socket.write('GET / HTTP/1.1\r\n\r\n');
    await until(() => rig.batches.length === 1, 'the dead letter');
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.lines().length === 1, 'the event');
    expect(rig.bans()).toEqual([]);
    expect(rig.batches[0]?.rejects[0]?.code).toBe('not_json_or_leef');
  });

  it('parses a long first message once', async () => {
    const parse = jest.spyOn(JSON, 'parse');
    try {
      const { socket } = await rig.connect();
      const long = EVENT.replace('D:', 'D'.repeat(100_000));
      socket.write(`${long}\n`);
      await until(() => rig.batches.length === 1, 'event');
      expect(parse.mock.calls.filter(([text]) => text.length > 65_536)).toHaveLength(1);
      expect(rig.lines()).toEqual([long]);
    } finally {
      parse.mockRestore();
    }
  });

  it('takes blanks, NULs and a byte order mark around messages for nothing', async () => {
    const client = await rig.connect();
    const bom = '\ufeff';
    const bytes = Buffer.from(`${bom}${EVENT}\0\n \t${EVENT} \t\r\n\0\n${bom}\n\0${LEEF}\0\r\n\0`);
    for (const byte of bytes) client.socket.write(Buffer.from([byte]));
    await until(() => rig.lines().length === 3, 'three events');
    expect(rig.lines()).toEqual([EVENT, `${EVENT} \t`, LEEF]);
    expect(rig.batches.flatMap((batch) => batch.rejects)).toEqual([]);
  });

  it('keeps an enrollment code out of the dead letters', async () => {
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n{"MessageType":"EnrollmentRequest","EnrollmentCode":"geheim"}\n`);
    await until(() => rig.batches.flatMap((batch) => batch.rejects).length === 1, 'the dead letter');
    const [reject] = rig.batches.flatMap((batch) => batch.rejects);
    expect(Buffer.from(reject!.raw).toString()).not.toContain('geheim');
  });

  it('accepts Hello as opening without an answer', async () => {
    const client = await rig.connect();
    client.socket.write('{"MessageType":"Hello","AgentHost":"X"}\n');
    await until(() => rig.context.services.presenceCalls.length === 1, 'connected');
    client.socket.end(`${EVENT}\n`);
    await rig.closed('ended');
    expect(rig.lines()).toEqual([EVENT]);
    expect(client.received).toBe('');
  });

  it('drops a line over the size limit, counts its bytes and bans nobody', async () => {
    rig.settings({ maxMessageBytes: 70_000 });
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n{"ActivityType":"FileSystem","P":"${'x'.repeat(200_000)}`);
    await client.closed;
    await rig.closed('oversized_message');
    expect(rig.lines()).toEqual([EVENT]);
    expect(rig.bans()).toEqual([]);
    const discarded = rig.value('gateway_frame_bytes_discarded_total', { reason: 'oversized_message' });
    expect(discarded).toBeGreaterThan(70_000);
  });

  it('closes the connection with the largest unfinished message when they take too much memory together', async () => {
    rig.settings({ maxMessageBytes: 100_000 });
    const begin = async (bytes: number): Promise<RigClient> => {
      const client = await rig.connect();
      client.socket.write(`${EVENT}\n{"ActivityType":"FileSystem","P":"${'x'.repeat(bytes)}`);
      return client;
    };
    const largest = await begin(95_000);
    await until(() => rig.lines().length === 1, 'the first connection');
    const others = [await begin(60_000), await begin(60_000), await begin(500)];
    await largest.closed;
    await rig.closed('message_memory');
    for (const { socket } of others) socket.write('"}\n');
    await until(() => rig.lines().length === 7, 'the events of all, and the messages of the others');
    expect(rig.bans()).toEqual([]);
    const discarded = rig.value('gateway_frame_bytes_discarded_total', { reason: 'message_memory' });
    expect(discarded).toBeGreaterThan(60_000);
    // What was held is free again: so much more than the budget ends one after the other.
    for (let n = 0; n < 5; n += 1)
      others[0]?.socket.write(`{"ActivityType":"x","P":"${'x'.repeat(99_000)}"}\n`);
    await until(() => rig.lines().length === 12, 'more messages');
  });

  it('obeys a changed size limit on an open connection', async () => {
    const { socket } = await rig.connect();
    socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'event');
    rig.settings({ maxMessageBytes: 100 });
    socket.write(`{"ActivityType":"FileSystem","P":"${'x'.repeat(200)}"}\n`);
    await rig.closed('oversized_message');
  });

  it('closes an idle connection, live to a changed limit, and counts empty lines as activity', async () => {
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'event');
    rig.settings({ idleTimeoutMs: 250 });
    for (let n = 0; n < 8; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      client.socket.write('\n');
    }
    expect(client.socket.destroyed).toBe(false);
    await client.closed;
    await rig.closed('idle');
    expect(rig.bans()).toEqual([]);
  });

  it('closes at once when the agent is removed, and follows a new hostname', async () => {
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 1, 'event');
    rig.allow('FS-AGENT-02');
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.batches.length === 2, 'event under the new name');
    expect(rig.batches[1]?.origin.senderHost).toBe('FS-AGENT-02');
    rig.context.services.allowlist.set(new Map());
    await client.closed;
    await rig.closed('removed');
  });

  it('hands over what has arrived when it is stopped, and counts the rest', async () => {
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n{"half`);
    await until(() => rig.batches.length === 1, 'event');
    await rig.source.stop?.(Date.now() + 1_000);
    await client.closed;
    expect(rig.value('gateway_frame_bytes_discarded_total', { reason: 'stopping' })).toBe(6);
    expect(rig.context.services.connections.closedIds).toEqual(['c1']);
    expect(rig.context.services.connections.taken).toBe(false);
    await rig.source.stop?.(Date.now() + 1_000);
  });

  it('reads on until the agent has noticed the end: nothing that it wrote is lost', async () => {
    rig.emit = async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      rig.batches.push(batch);
    };
    const client = await rig.connect();
    let written = 0;
    let ended = false;
    client.socket.once('end', () => (ended = true));
    const write = (): void => {
      if (ended) return;
      for (let n = 0; n < 20; n += 1) {
        written += 1;
        client.socket.write(`${EVENT.slice(0, -1)},"N":${written},"P":"${'x'.repeat(1_000)}"}\n`);
      }
      setImmediate(write);
    };
    write();
    await until(() => rig.batches.length > 3, 'a stream');
    await rig.source.stop?.(Date.now() + 10_000);
    await client.closed;
    expect(ended).toBe(true);
    expect(rig.lines()).toHaveLength(written);
    expect(rig.context.services.connections.closedIds).toEqual(['c1']);
    expect(rig.value('gateway_frame_bytes_discarded_total', { reason: 'stopping' })).toBe(0);
  });

  it('tells of the agent as soon as its key is known, without a first message', async () => {
    await rig.connect();
    await until(() => rig.context.services.connections.identifications.length === 1, 'identified');
    expect(rig.context.services.presenceCalls).toEqual([]);
  });

  it('stops by its deadline also when the pipeline never has room again', async () => {
    rig.emit = () => new Promise(() => undefined);
    const client = await rig.connect();
    client.socket.write(`${EVENT}\n`);
    await until(() => rig.context.services.presenceCalls.length > 0, 'connected');
    const begun = Date.now();
    await rig.source.stop?.(begun + 400);
    // Without the deadline it would never stop.
    expect(Date.now() - begun).toBeLessThan(5_000);
    await client.closed;
  });
});
