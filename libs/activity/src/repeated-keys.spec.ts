import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countKeys, findRepeatedKey, Line } from '@activity-gateway/pipeline/helpers';
import { anyJsonObject, type KnownJson } from '@activity-gateway/pipeline/testing';
import { MessageReader, readMessage } from './read-message.js';

describe('keys that are sent twice', () => {
  const event = ({ text }: KnownJson): string => `{"ActivityType":"x","Data":${text}}`;

  it('are found at any depth and however they are escaped, and nothing else is', () => {
    fc.assert(
      fc.property(anyJsonObject, (known) => {
        const message = readMessage(Buffer.from(event(known)));
        if (known.repeats) expect(message).toMatchObject({ kind: 'rejected', code: 'repeated_key' });
        else expect(message).toMatchObject({ kind: 'event' });
        expect(findRepeatedKey(Buffer.from(known.text)) !== undefined).toBe(known.repeats);
        if (!known.repeats) expect(countKeys(JSON.parse(known.text))).toBe(known.members);
      }),
    );
  });

  it('are found in a list within an order of keys that is known', () => {
    const reader = new MessageReader();
    const line = (list: string): Line =>
      Line.of(Buffer.from(`{"ActivityType":"x","Tags":${list}}\n`).subarray(0, -1));
    for (let round = 0; round < 40; round += 1) reader.read([line('["a"]')]);
    expect(reader.read([line('[{"a":1,"a":2}]')])[0]).toMatchObject({
      code: 'repeated_key',
      field: '/Tags/0/a',
    });
  });

  it('are not met by the reader of known orders: it gives what a single line gives', () => {
    const flat = fc
      .array(
        fc.tuple(
          fc.constantFrom('ActivityType', 'Path', 'Host', 'Size', 'Tags'),
          fc.constantFrom('"x"', '1', '["a"]', '[{"a":1,"a":2}]', '[{"a":1}]', '[[1]]', '"\\u0061"'),
        ),
        { minLength: 1, maxLength: 6 },
      )
      .map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`);
    fc.assert(
      fc.property(fc.array(flat, { minLength: 1, maxLength: 12 }), (texts) => {
        const reader = new MessageReader();
        const lines = texts.map((text) => Line.of(Buffer.from(`${text}\n`).subarray(0, -1)));
        // Often enough for each order to be learned.
        for (let round = 0; round < 40; round += 1) reader.read(lines);
        const alone = lines.map(({ bytes }) => readMessage(bytes));
        expect(reader.read(lines)).toEqual(alone);
      }),
    );
  });
});
