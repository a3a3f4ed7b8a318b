import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Batch, createEvent, type EventRecord, type Reject } from '../api/index.js';
import { createTestContext, testOrigin } from '../testing/index.js';
import { coerceBool, coerceText, coerceUint64, requireText } from './coerce.js';
import { readIp } from './coerce-ip.js';
import { bool, from, ip, keyword, path, text, textList, time, uint } from './columns.js';
import { defineParser, type TableParserDefinition } from './define-parser.js';
import type { EventTimeOptions } from './event-time.js';
import { oneOf, requiredWhen } from './generate-decoder.js';

const NOW = Date.UTC(2026, 10, 20, 9, 15, 2);
const OPTIONS: EventTimeOptions = { max_event_age: '400d', max_clock_skew: '1d' };

const doorParser = defineParser({
  id: 'parsers.door',
  stability: 'alpha',
  summary: 'Reads events of door controllers.',
  claims: 'Door',
  eventType: { name: 'door_events' },
  columns: {
    event_time: time('TimeLogged', 'Time'),
    host: keyword('Host').required(),
    action: keyword('Action').map((sent) => sent.toLowerCase()),
    user_name: text('UserName', 'User'),
    user_id: text('UserId'),
    place: path('Place'),
    client_ip: ip('ClientIP').keepText(),
    badge: uint('uint64', 'Badge'),
    success: bool('Success').default(true).strict(),
    tags: textList('Tags'),
    size: from('uint64', ({ Items }: { Items?: readonly unknown[] }) => Items?.length ?? 0),
  },
  keys: { Items: { type: ['array', 'null'] } },
  rules: [oneOf('user_name', 'user_id'), requiredWhen('place', ({ action }) => action === 'open')],
});

interface Outcome {
  readonly record?: EventRecord;
  readonly reject?: Pick<Reject, 'code' | 'field' | 'message'>;
}

function parse<Options extends EventTimeOptions>(
  value: unknown,
  options: Options,
  parser: TableParserDefinition<Options>,
): Outcome {
  const event = createEvent('Door', value, Buffer.from(JSON.stringify(value)));
  const batch = new Batch(testOrigin(), NOW, 1, [event]);
  parser.create(options, createTestContext()).apply(batch);
  const [reject] = batch.rejects;
  if (reject !== undefined) {
    const { code, field, message } = reject;
    return { reject: { code, field, message } };
  }
  return event.record === undefined ? {} : { record: event.record };
}

const door = (changes: object = {}): Outcome =>
  parse(
    { ActivityType: 'Door', TimeLogged: '2026-11-20T09:15:00Z', Host: 'D1', User: 'ada', ...changes },
    OPTIONS,
    doorParser,
  );

describe('defineParser', () => {
  it('makes event type, options and the schema of messages', () => {
    expect(doorParser).toMatchObject({
      id: 'parsers.door',
      kind: 'parser',
      eventTypes: [doorParser.eventType],
    });
    expect(doorParser.eventType).toMatchObject({
      name: 'door_events',
      fields: {
        event_time: { kind: 'time' },
        place: { kind: 'text' },
        client_ip: { kind: 'ip', nullable: true },
        badge: { kind: 'uint64', nullable: true },
        tags: { kind: 'text[]' },
        extra: { kind: 'text' },
      },
    });
    expect(Object.keys(doorParser.configSchema['properties'] as object)).toEqual([
      'max_event_age',
      'max_clock_skew',
    ]);
    expect(doorParser.messageSchema).toMatchObject({ type: 'object', required: ['Host'] });
    expect(Object.keys(doorParser.messageSchema['properties'] as object)).toEqual(
      expect.arrayContaining(['TimeLogged', 'Time', 'UserName', 'User', 'Items']),
    );
  });

  it('reads values, other names of keys, and functions, and keeps the rest', () => {
    const { record } = door({
      Action: 'CLOSE',
      ClientIP: '[2001:db8::1]:443',
      Badge: '18446744073709551615',
      Tags: 'a, b',
      Items: [1, 2],
      UserName: null,
      Unknown: { x: 1 },
    });
    expect(record).toEqual({
      event_time: Date.UTC(2026, 10, 20, 9, 15),
      host: 'D1',
      action: 'close',
      user_name: 'ada',
      user_id: '',
      place: '',
      client_ip: '2001:db8::1',
      badge: 18446744073709551615n,
      success: true,
      tags: ['a', 'b'],
      size: 2,
      extra: '{"Unknown":{"x":1},"ClientIP":"[2001:db8::1]:443"}',
    });
    expect(Object.keys(record ?? {})).toEqual(Object.keys(doorParser.eventType.fields));
  });

  it('rejects by required columns, by rules and by strict columns; other wrong types cost their key', () => {
    expect(door({ Host: '' }).reject).toMatchObject({ code: 'missing_key', field: '/Host' });
    expect(door({ TimeLogged: undefined }).reject).toMatchObject({
      code: 'missing_key',
      field: '/TimeLogged',
    });
    expect(door({ User: '' }).reject).toEqual({
      code: 'missing_key',
      field: '/UserName',
      message: 'One of UserName and UserId is required.',
    });
    expect(door({ Action: 'Open' }).reject).toMatchObject({ code: 'missing_key', field: '/Place' });
    expect(door({ Action: 'Open', Place: 'Hall' }).record).toMatchObject({ place: 'Hall' });
    expect(door({ Success: 'maybe' }).reject).toMatchObject({ code: 'wrong_type', field: '/Success' });
    expect(door({ Badge: 'none' }).record).toMatchObject({ badge: null, extra: '{"Badge":"none"}' });
  });

  it('gives functions what is prepared, with the options, and lets extra be added to', () => {
    const parser = defineParser<
      string,
      { readonly words: readonly string[] },
      EventTimeOptions & { mark: string }
    >({
      id: 'parsers.words',
      stability: 'alpha',
      summary: 'Reads words.',
      claims: 'Door',
      eventType: { name: 'words' },
      options: { mark: { type: 'string', default: ',', description: 'Between words.' } },
      schema: { type: 'string' },
      prepare: ({ mark }) => {
        return (message) => ({ words: message.split(mark) });
      },
      columns: {
        event_time: from('time', (_, { receivedAt }) => receivedAt),
        first: from('text', ({ words }: { words: readonly string[] }) => words[0] ?? ''),
      },
      extra: (rest, { words }) => (words.length > 1 ? { ...rest, others: words.slice(1) } : rest),
    });
    expect(parse('a;b;c', { ...OPTIONS, mark: ';' }, parser).record).toEqual({
      event_time: NOW,
      first: 'a',
      extra: '{"others":["b","c"]}',
    });
    expect(parse('a', { ...OPTIONS, mark: ';' }, parser).record).toMatchObject({ first: 'a', extra: '' });
  });

  it('refuses a rule over a column that is not there', () => {
    const { columns } = doorParser;
    expect(() => oneOf('user_name', 'nobody')(columns)).toThrow('names "nobody"');
    expect(() => requiredWhen('size', () => true)(columns)).toThrow('names "size"');
  });

  it('decodes as one would by hand', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom(null, '7', 'True', '10.0.0.5'),
    );
    const message = fc.dictionary(
      fc.constantFrom('Action', 'UserName', 'UserId', 'ClientIP', 'Badge', 'Success', 'Unknown'),
      scalar,
    );
    let taken = 0;
    fc.assert(
      fc.property(message, (changes) => {
        const sent: Record<string, unknown> = { User: 'ada', Host: 'D1', ...changes };
        const { record } = door(changes);
        if (record === undefined) return;
        taken += 1;
        // What was set aside is not in its column.
        const aside =
          record['extra'] === '' ? {} : (JSON.parse(record['extra'] as string) as Record<string, unknown>);
        const value = (key: string): unknown =>
          Object.hasOwn(aside, key) && key !== 'ClientIP' ? undefined : sent[key];
        expect(record).toMatchObject({
          host: requireText(value('Host'), '/Host'),
          action: coerceText(value('Action'), '/Action').toLowerCase(),
          user_name: coerceText(sent['UserName'] ?? sent['User'], '/UserName'),
          user_id: coerceText(value('UserId'), '/UserId'),
          client_ip: readIp(sent['ClientIP']).address,
          badge: coerceUint64(value('Badge'), '/Badge'),
          success: coerceBool(value('Success'), true, '/Success'),
        });
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});
