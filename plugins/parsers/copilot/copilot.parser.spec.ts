import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readEvent } from '@activity-gateway/activity';
import { createTestContext, parseLine, runGoldenCases } from '@activity-gateway/pipeline/testing';
import { copilotParser } from './index.js';
import { copilotLists } from './lists.js';

runGoldenCases(new URL('.', import.meta.url), copilotParser, { read: readEvent });

/** How many values each nested group's parts have; one number where they agree. */
function groupLengths(record: Readonly<Record<string, unknown>>): number[][] {
  const groups = new Map<string, Set<number>>();
  for (const [name, value] of Object.entries(record)) {
    const [group = '', part] = name.split('.');
    if (part === undefined) continue;
    const lengths = groups.get(group) ?? new Set();
    groups.set(group, lengths.add((value as readonly unknown[]).length));
  }
  return [...groups.values()].map((lengths) => [...lengths]);
}

describe('parsers.copilot', () => {
  const parser = copilotParser.create({ max_event_age: '400d', max_clock_skew: '1d' }, createTestContext());
  const valid = {
    ActivityType: 'Copilot',
    TimeLogged: '2026-11-20T10:00:00Z',
    UserId: 'maria@contoso.example',
    Workload: 'Copilot',
  };
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constantFrom(null, '7', 'True'));
  const list = (keys: readonly string[]): fc.Arbitrary<unknown> =>
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc.array(fc.dictionary(fc.constantFrom(...keys, 'Unknown'), scalar), { maxLength: 4 }),
      },
      fc.jsonValue({ maxDepth: 2 }),
    );
  const data = fc.record(
    Object.fromEntries(Object.entries(copilotLists).map(([name, keys]) => [name, list(keys)])),
    { requiredKeys: [] },
  );

  it('takes or rejects whatever is sent; records have all fields in order and groups of one length', () => {
    const changes = fc.dictionary(
      fc.constantFrom(
        ...Object.keys(copilotParser.messageSchema['properties'] as object).slice(1),
        'Unknown',
      ),
      fc.jsonValue(),
    );
    let taken = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          changes,
          data.map((CopilotEventData) => ({ CopilotEventData })),
        ),
        (changed) => {
          const outcome = parseLine(parser, Buffer.from(JSON.stringify({ ...valid, ...changed })), readEvent);
          expect(['event', 'reject']).toContain(outcome.kind);
          if (outcome.kind !== 'event') return;
          taken += 1;
          const record = outcome.event.record ?? {};
          expect(Object.keys(record)).toEqual(Object.keys(copilotParser.eventType.fields));
          expect(Object.values(record)).not.toContain(undefined);
          for (const lengths of groupLengths(record)) expect(lengths).toHaveLength(1);
        },
      ),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('keeps every unknown key of the event data beside the element it came with', () => {
    const event = {
      ...valid,
      CopilotEventData: { Contexts: [{ Id: 'a' }, { Id: 'b', ContainerId: 'c' }], LogVersion: 2 },
    };
    const outcome = parseLine(parser, Buffer.from(JSON.stringify(event)), readEvent);
    const extra: unknown = outcome.kind === 'event' && JSON.parse(outcome.event.record?.['extra'] as string);
    expect(extra).toEqual({ CopilotEventData: { LogVersion: 2, Contexts: [{}, { ContainerId: 'c' }] } });
  });
});
