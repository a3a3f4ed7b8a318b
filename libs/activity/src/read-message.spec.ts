import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Line, LineFramer } from '@activity-gateway/pipeline/helpers';
import { MessageReader, readLine, readMessage } from './read-message.js';

const read = (text: string): ReturnType<typeof readMessage> => readMessage(Buffer.from(text));

describe('readMessage', () => {
  it('makes an event of JSON with ActivityType, parsed once, with the raw bytes', () => {
    const raw = Buffer.from('{"ActivityType":"FileSystem","Path":"D:\\\\ä😀"}');
    const message = readMessage(raw);
    expect(message).toMatchObject({
      kind: 'event',
      event: { type: 'FileSystem', value: { Path: 'D:\\ä😀' }, eventType: undefined, record: undefined },
    });
    expect(message.kind === 'event' && message.event.raw).toEqual(raw);
  });

  it.each(['{"ActivityType":5}', '{"ActivityType":null}', '{"ActivityType":""}'])(
    'makes an event of no known type of %s',
    (text) => {
      expect(read(text)).toMatchObject({ kind: 'event', event: { type: '' } });
    },
  );

  it('makes a control message of JSON with MessageType only', () => {
    expect(read('{"MessageType":"EnrollmentRequest","EnrollmentCode":"x"}')).toMatchObject({
      kind: 'control',
      type: 'EnrollmentRequest',
      value: { EnrollmentCode: 'x' },
    });
    expect(read('{"MessageType":7}')).toMatchObject({ kind: 'control', type: '' });
    expect(read('{"MessageType":"Hello","ActivityType":"Copilot"}')).toMatchObject({ kind: 'event' });
  });

  it.each(['{}', '{"a":1}', '{"__proto__":{"ActivityType":"FileSystem"}}'])(
    'refuses %s for want of a type',
    (text) => {
      expect(read(text)).toMatchObject({ kind: 'violation', code: 'no_message_type' });
    },
  );

  it.each([
    '{',
    '{"a":1',
    '{"a":1}x',
    '[1]',
    '"text"',
    'GET / HTTP/1.1',
    ' {"ActivityType":"Leef"}',
    '\u0000',
    'null',
  ])('refuses %j as neither JSON object nor LEEF', (text) => {
    expect(read(text)).toMatchObject({ kind: 'violation', code: 'not_json_or_leef' });
  });

  it('never repeats content in a reason', () => {
    const message = read('secret-token');
    expect(message.kind === 'violation' && message.reason).not.toContain('secret');
  });

  it.each([
    'LEEF:1.0|Vendor|Product|1|Id|a=b',
    'LEEF:2.0|Vendor|Product|1|Id|^|a=b',
    '<13>Nov 20 09:15:02 host LEEF:1.0|V|P|1|I|a=b',
    '<13>1 2026-11-20T09:15:02Z host app - - - LEEF:1.0|V|P|1|I|a=b',
    'Nov  2 09:15:02 host LEEF:1.0|V|P|1|I|a=b',
    'Nov 20 2026 09:15:02 host LEEF:2.0|V|P|1|I|a=b',
    '2026-11-20T09:15:02.187+01:00 host LEEF:1.0|V|P|1|I|a=b',
  ])('takes %s for LEEF', (text) => {
    expect(read(text)).toMatchObject({ kind: 'event', event: { type: 'Leef', value: text } });
  });

  it.each([
    'hello LEEF:1.0|V|P|1|I|a=b',
    'LEEF:3.0|V|P|1|I|',
    'LEEF:1.0',
    '<13>Nov 20 09:15:02 host text',
    `<13>${'x'.repeat(3000)}LEEF:1.0|`,
  ])('does not take %.40s for LEEF', (text) => {
    expect(read(text)).toMatchObject({ kind: 'violation', code: 'not_json_or_leef' });
  });

  it('tells bytes that are no UTF-8 from a replacement character that was sent', () => {
    const bad = Buffer.concat([
      Buffer.from('{"ActivityType":"FileSystem","Path":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    expect(readMessage(bad)).toEqual({ kind: 'not-utf8' });
    expect(readMessage(Buffer.concat([Buffer.from('LEEF:1.0|V|P|1|I|a='), Buffer.from([0xc3])]))).toEqual({
      kind: 'not-utf8',
    });
    expect(read('{"ActivityType":"FileSystem","Path":"\uFFFD"}')).toMatchObject({ kind: 'event' });
  });

  it('does not throw, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(readMessage(Buffer.from(bytes))).toHaveProperty('kind');
        },
      ),
    );
  });

  it.each([
    ['depth', `{"ActivityType":"Copilot","a":${'['.repeat(64)}${']'.repeat(64)}}`, 'too_deep'],
    ['depth that would end in an error of the stack', `{"a":${'['.repeat(30_000)}`, 'too_deep'],
    ['values in a long line', `{"ActivityType":"x","a":[${'{},'.repeat(30_000)}1]}`, 'too_many_values'],
    ['a key twice', '{"ActivityType":"x","Path":"a","Path":"b"}', 'repeated_key'],
  ])('rejects %s', (_what, text, code) => {
    expect(read(text)).toMatchObject({ kind: 'rejected', code });
  });

  it('counts the values of long lines only, up to what it is told', () => {
    const values = (count: number, fill: string): Buffer =>
      Buffer.from(`{"ActivityType":"x","Fill":"${fill}","a":[${'1,'.repeat(count - 4)}1]}`);
    expect(readMessage(values(20_000, '')).kind).toBe('event');
    const fill = 'x'.repeat(70_000);
    expect(readMessage(values(10_000, fill)).kind).toBe('event');
    expect(readMessage(values(10_001, fill)).kind).toBe('rejected');
    expect(readMessage(values(10_001, fill), 10_001).kind).toBe('event');
    const lines = [Line.of(values(10_001, fill))];
    expect(
      [new MessageReader(), new MessageReader(10_001)].map((reader) => reader.read(lines)[0]?.kind),
    ).toEqual(['rejected', 'event']);
  });

  it('takes a control message with a key twice: no event is in doubt', () => {
    expect(read('{"MessageType":"Hello","Ack":true,"Ack":true}').kind).toBe('control');
  });

  it.each([10, 8_000, 9_000, 70_000])(
    'reads texts of %d letters of any kind, and refuses what is no UTF-8',
    (length) => {
      for (const letter of ['a', 'ä', '漢', '😀', '\ufffd']) {
        const text = JSON.stringify({ ActivityType: 'x', Path: letter.repeat(length) });
        expect(read(text)).toMatchObject({ event: { value: { Path: letter.repeat(length) } } });
        const broken = Buffer.from(text);
        broken[broken.length - 3] = 0xff;
        expect(readMessage(broken)).toEqual({ kind: 'not-utf8' });
      }
    },
  );
});

describe('MessageReader', () => {
  it('gives what readLine gives, for any lines and any part of them, from the first time to the hundredth', () => {
    const texts = [
      '{"ActivityType":"FileSystem","Path":"D:\\\\ä","Size":5}',
      '{"ActivityType":"FileSystem","Path":"E:\\\\b","Size":6}',
      '{"ActivityType":7}',
      '{"MessageType":"Hello"}',
      '{"a":1}',
      '{"ActivityType":',
      '<13>Nov 20 09:15:02 host LEEF:1.0|a|b|c|d|',
      'nothing',
      '{"ActivityType":"Copilot","Data":{"a":[1]}}',
    ];
    const good = Buffer.from(texts.join('\n'));
    const lines = new LineFramer(1_000).cut(
      Buffer.concat([good, Buffer.from('\n{"ActivityType":"\xff"}\n', 'latin1')]),
    );
    const reader = new MessageReader();
    for (let round = 0; round < 100; round += 1) {
      expect(reader.read(lines)).toEqual(lines.map((line) => readLine(line)));
      expect(reader.read(lines, 1, 4)).toEqual(lines.slice(1, 4).map((line) => readLine(line)));
    }
    expect(reader.read([])).toEqual([]);
  });
});
