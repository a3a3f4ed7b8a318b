import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createEvent,
  METADATA_FIELDS,
  type ParserDefinition,
  type SourceEvent,
  type Transform,
} from '../../api/index.js';
import { readGoldenCases } from '../golden-cases.js';
import { hostileMessages } from '../hostile-messages.js';
import { applyTransform, parseLine, type ReadEvent } from '../parse-line.js';
import { recordProblems } from '../record-problems.js';
import { createInstance, type InstanceFactory } from './lifecycle-contract.js';

const RUNS = 500;
/** Longest time for all runs, ms: a machine may have other work. */
const HOSTILE_MS = 60_000;
const FOREIGN = ['', 'Foreign', 'constructor', '__proto__', 'toString'];

/** Declares the tests of a parser. Its good messages are those of its golden test cases. */
export function parserContract(
  factory: InstanceFactory,
  definition: ParserDefinition,
  folder: URL,
  read: ReadEvent,
): void {
  const lines = readGoldenCases(folder).flatMap((each) => each.lines);
  const create = (): Transform => createInstance(factory) as Transform;
  const seeds = seedEvents(create(), lines, read);

  it('has well-formed event types with a time, and none of the fields that the gateway writes', () => {
    expect(definition.eventTypes.length).toBeGreaterThan(0);
    for (const { name, fields } of definition.eventTypes) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(fields).toHaveProperty('event_time', { kind: 'time' });
      for (const field of Object.keys(fields)) expect(field).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/);
      for (const stamp of Object.keys(METADATA_FIELDS)) expect(fields).not.toHaveProperty([stamp]);
    }
  });

  it('has test cases from which records come', () => expect(seeds.length).toBeGreaterThan(0));

  it('claims only its own events, and leaves others as they are', () => {
    const parser = create();
    const claimed = new Set(seeds.map(({ type }) => type));
    const foreign = FOREIGN.filter((type) => !claimed.has(type));
    const events = foreign.flatMap((type) =>
      seeds.map(({ value, raw }) => Object.freeze(createEvent(type, value, raw))),
    );
    const { type, value, raw } = firstOf(seeds);
    const decoded = { record: {}, eventType: definition.eventTypes[0] };
    const done = Object.freeze({ ...createEvent(type, value, raw), ...decoded });
    const batch = applyTransform(parser, [...events, done]);
    expect(batch.rejects).toEqual([]);
    expect(batch.events).toHaveLength(events.length + 1);
    batch.events.forEach((event, index) => expect(event).toBe(events[index] ?? done));
  });

  it('keeps order and number: records and rejects are what came in', () => {
    const parser = create();
    const broken = seeds.map(({ type }) => eventOf(type, null));
    const good = seeds.map(({ type, value, raw }) => createEvent(type, value, raw));
    const mixed = good.flatMap((event, index) => [event, broken[index] ?? event]);
    const batch = applyTransform(parser, [...mixed]);
    expect(batch.events.length + batch.rejects.length).toBe(mixed.length);
    expect(batch.events).toEqual(mixed.filter((event) => batch.events.includes(event)));
    for (const event of good) if (batch.events.includes(event)) expectRecord(definition, event);
  });

  it(
    'never throws, whatever a message holds; gives whole records or rejects with a code',
    () => {
      const parser = create();
      const types = [...new Set(seeds.map(({ type }) => type))];
      const messages = hostileMessages(seeds.map(({ value }) => value));
      fc.assert(
        fc.property(
          fc.constantFrom(...types),
          fc.array(messages, { minLength: 1, maxLength: 4 }),
          (type, values) => {
            const events = values.map((value) => eventOf(type, value));
            const batch = applyTransform(parser, [...events]);
            expect(batch.size).toBe(events.length);
            for (const event of batch.events) expectRecord(definition, event);
            for (const reject of batch.rejects) expectReject(reject);
          },
        ),
        { numRuns: RUNS },
      );
    },
    HOSTILE_MS,
  );

  it('gives the same record for the same message, and does not change the message', () => {
    const [parser, other] = [create(), create()];
    for (const { type, value, raw } of seeds) {
      const before = structuredClone(value);
      const [first, second] = [parser, other].map(
        (each) => applyTransform(each, [createEvent(type, value, raw)]).events[0],
      );
      expect(first?.record).toEqual(second?.record);
      expect(value).toEqual(before);
    }
  });
}

/** An event as a source makes it: a text is the line itself, anything else has come out of its JSON. */
function eventOf(type: string, value: unknown): SourceEvent {
  if (typeof value === 'string') return createEvent(type, value, Buffer.from(value));
  const text = JSON.stringify(value);
  return createEvent(type, JSON.parse(text), Buffer.from(text));
}

/** Events of the test cases that give records. */
function seedEvents(parser: Transform, lines: readonly Buffer[], read: ReadEvent): SourceEvent[] {
  return lines.filter((line) => parseLine(parser, line, read).kind === 'event').map((line) => read(line));
}

function firstOf<T>(values: readonly T[]): T {
  const [first] = values;
  if (first === undefined) throw new Error('There is no test case that gives a record.');
  return first;
}

function expectRecord(definition: ParserDefinition, event: SourceEvent): void {
  if (event.eventType === undefined || event.record === undefined)
    throw new Error('A kept event has no record.');
  expect(definition.eventTypes).toContain(event.eventType);
  expect(recordProblems(event.eventType, event.record)).toEqual([]);
}

function expectReject(reject: { code: string; field: string; message: string; stage: string }): void {
  expect(reject.code).toMatch(/^[a-z0-9_]+$/);
  // The catch-all of the loop: a parser has to know what it refuses.
  expect(reject.code).not.toBe('decode_failed');
  expect(reject.field).toMatch(/^(\/.*)?$/s);
  expect(reject.message).toMatch(/\S/);
  expect(['parse', 'validate']).toContain(reject.stage);
}
