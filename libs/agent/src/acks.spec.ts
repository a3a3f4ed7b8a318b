import { describe, expect, it } from '@jest/globals';
import { AckReader } from './acks.js';

const bytes = (text: string): Buffer => Buffer.from(text);

describe('AckReader', () => {
  it('reads Acks across any chunk boundary, and skips messages of other types', () => {
    const reader = new AckReader();
    const text =
      '{"MessageType":"Ack","Messages":0,"Sequence":41,"Gateway":"g"}\n{"MessageType":"News"}\r\n\n{"MessageType":"Ack","Messages":7}\n';
    const acks = [...bytes(text)].flatMap((byte) => reader.push(Buffer.from([byte]), 10));
    expect(acks).toEqual([
      { messages: 0, sequence: 41, gateway: 'g' },
      { messages: 7, sequence: undefined, gateway: undefined },
    ]);
  });

  it.each([
    ['more than was sent', '{"MessageType":"Ack","Messages":11}\n'],
    ['less than before', '{"MessageType":"Ack","Messages":4}\n'],
    ['no number', '{"MessageType":"Ack"}\n'],
    ['half a message', '{"MessageType":"Ack","Messages":5.5}\n'],
    ['a sequence that is none', '{"MessageType":"Ack","Messages":5,"Sequence":"1"}\n'],
    ['a gateway that is no text', '{"MessageType":"Ack","Messages":5,"Gateway":1}\n'],
    ['no JSON', 'hello\n'],
    ['no object', 'null\n'],
    ['a line without end', 'x'.repeat(70_000)],
  ])('refuses %s', (_what, text) => {
    const reader = new AckReader();
    reader.push(bytes('{"MessageType":"Ack","Messages":5}\n'), 10);
    expect(() => reader.push(bytes(text), 10)).toThrow(
      expect.objectContaining({ code: 'AGENT_ACK_INVALID' }),
    );
  });
});
