import { describe, expect, it } from '@jest/globals';
import { defineEventType, type EventTypeDeclaration } from './index.js';

const fields = {
  event_time: { kind: 'time' },
  seen_at: { kind: 'time', nullable: true },
  host: { kind: 'keyword' },
  address: { kind: 'ip', nullable: true },
  tags: { kind: 'text[]' },
  'parts.id': { kind: 'text[]' },
} as const;

describe('defineEventType', () => {
  it('gives what the author leaves out', () => {
    expect(defineEventType({ name: 'door_events', fields })).toEqual({
      name: 'door_events',
      type: 'door',
      aliases: [],
      fields,
      storage: { time: 'event_time', orderBy: [], indexes: {} },
      search: { actor: [], host: [], action: [], object: [], address: [] },
    });
    expect(defineEventType({ name: 'things', fields: {} })).toMatchObject({
      type: 'things',
      storage: { time: 'received_at' },
    });
  });

  it('cannot be changed afterwards', () => {
    const type = defineEventType({ name: 'door_events', fields, search: { host: ['host'] } });
    const parts = [type, type.fields, type.storage, type.storage.orderBy, type.search, type.search.host];
    expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
  });

  it.each<[change: object, why: string]>([
    [{ name: 'Door' }, 'its name'],
    [{ name: 'door_events`; DROP' }, 'its name'],
    [{ type: 'a b' }, 'its type'],
    [{ fields: { EventTime: { kind: 'time' } } }, 'the field "EventTime"'],
    [{ fields: { 'a.b.c': { kind: 'text[]' } } }, 'the field "a.b.c"'],
    [
      { fields: { ...fields, agent_host: { kind: 'text' } } },
      'the gateway itself writes the field "agent_host"',
    ],
    [{ search: { actor: ['user'] } }, 'no field "user"'],
    [{ storage: { indexes: { user: 'value' } } }, 'no field "user"'],
    [{ storage: { time: 'host' } }, '"host" does not hold a time'],
    [{ storage: { time: 'seen_at' } }, '"seen_at" does not hold a time'],
    [{ storage: { orderBy: ['address'] } }, '"address" does not hold one value'],
    [{ storage: { orderBy: ['tags'] } }, '"tags" does not hold one value'],
    [{ storage: { indexes: { tags: 'value' } } }, '"tags" cannot have an index'],
    [{ storage: { indexes: { address: 'words' } } }, '"address" cannot have an index'],
  ])('refuses %j', (change, why) => {
    const declaration = { name: 'door_events', fields, ...change } as EventTypeDeclaration;
    expect(() => defineEventType(declaration)).toThrow(
      expect.objectContaining({ code: 'EVENT_TYPE_INVALID', message: expect.stringContaining(why) }),
    );
  });
});
