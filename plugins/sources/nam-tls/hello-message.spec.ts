import { describe, expect, it } from '@jest/globals';
import { readHello } from './hello-message.js';

const NAME = 'stream-0123456789';

describe('readHello', () => {
  it.each([
    [{}, { ack: false, answer: false }],
    [{ Ack: 1 }, { ack: false, answer: false }],
    [{ Ack: true }, { ack: true, answer: false }],
    [
      { Ack: false, Stream: NAME, Sequence: 1 },
      { ack: false, answer: false },
    ],
    [
      { Ack: true, Stream: NAME, Sequence: 1 },
      { ack: true, answer: true, start: { name: NAME, sequence: 1 } },
    ],
    [
      { Ack: true, Stream: NAME },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: NAME, Sequence: 0 },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: NAME, Sequence: 1.5 },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: NAME, Sequence: '1' },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: NAME, Sequence: 2 ** 53 },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: 'short', Sequence: 1 },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: `${NAME}/x`, Sequence: 1 },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: 'x'.repeat(65), Sequence: 1 },
      { ack: true, answer: true },
    ],
    [
      { Ack: true, Stream: 7, Sequence: 1 },
      { ack: true, answer: true },
    ],
  ])('%j', (value, hello) => {
    expect(readHello({ MessageType: 'Hello', ...value })).toEqual(hello);
  });
});
