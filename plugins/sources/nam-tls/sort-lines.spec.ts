import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Line, LineFramer } from '@activity-gateway/pipeline/helpers';
import { MessageReader } from '@activity-gateway/activity';
import { MalformedLines } from './malformed-lines.js';
import { isCutOff, sortLines } from './sort-lines.js';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const control = (value: string): string => `{"MessageType":"Hello","EnrollmentCode":"secret","X":${value}}`;

/** Lines of every kind, those that broke something once among them. */
const anyLine = fc.oneof(
  fc
    .constantFrom(
      '{"ActivityType":"FileSystem","Path":"a"}',
      '{"ActivityType":"Copilot","X":{"a":[1]}}',
      '{"ActivityType":7}',
      'LEEF:1.0|V|P|1|I|a=b',
      '{"MessageType":"Hello"}',
      '{"a":1}',
      '{"ActivityType":"FileSystem","Size":NaN}',
      control('1'),
      control(deep(30_000)),
      `${control(deep(30_000)).slice(0, -1)}`,
      `{"ActivityType":"FileSystem","X":${deep(30_000)}}`,
    )
    .map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
  fc.json({ depthSize: 'large' }).map((text) => Buffer.from(`{"MessageType":"x","X":${text}}`)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);

function sort(lines: readonly Line[]): ReturnType<typeof sortLines> {
  return sortLines(new MessageReader(), lines, 0, lines.length, new MalformedLines());
}

describe('sortLines', () => {
  it('makes one event or one dead letter of each line, with its bytes, whatever the lines hold', () => {
    fc.assert(
      fc.property(fc.array(anyLine, { maxLength: 20 }), (sent) => {
        const lines = new LineFramer(1_000_000).cut(
          Buffer.concat(sent.flatMap((line) => [line, Buffer.from('\n')])),
        );
        const { events, rejects, bytes } = sort(lines);
        expect(events.length + rejects.length).toBe(lines.length);
        expect(bytes).toBe(lines.reduce((sum, line) => sum + line.length, 0));
        const kept = [...events, ...rejects].map(({ raw }) => Buffer.from(raw).toString('latin1')).toSorted();
        const expected = lines.map(({ bytes: raw }) =>
          raw.toString('latin1').replace('"secret"', '"[redacted]"'),
        );
        expect(kept).toEqual(expected.toSorted());
      }),
    );
  });

  it.each([
    '{"MessageType":"x","EnrollmentCode":"secret"}',
    '{"MessageType":"x","EnrollmentCode":"secret","EnrollmentCode":"secret\\"too"}',
    '{"MessageType":"x","\\u0045nrollmentC\\u006fde" : "secret"}',
    '{"MessageType":"x","a":{"EnrollmentCode":"secret"}}',
    `{"MessageType":"x","EnrollmentCode":"secret","x":${deep(30_000)}}`,
    '{"MessageType":"EnrollmentRequest","EnrollmentCode":"secret",}',
    '{"MessageType":"EnrollmentRequest","EnrollmentCode":"secret',
    '{"MessageType":"EnrollmentRequest","EnrollmentCode":secret}',
  ])('keeps the code of %.60s out of the dead letters, and all the rest in', (text) => {
    const { rejects } = sort([Line.of(Buffer.from(text))]);
    const raw = Buffer.from(rejects[0]!.raw).toString();
    expect(raw).not.toContain('secret');
    expect(raw).toContain('[redacted]');
    expect(raw.replaceAll(/"?\[redacted\]"?/g, '')).toBe(text.replaceAll(/"?secret(\\"too)?"?/g, ''));
  });

  it('counts lines that are no messages across calls, and starts again with a message', () => {
    const malformed = new MalformedLines();
    const take = (texts: readonly string[]): boolean => {
      const lines = texts.map((text) => Line.of(Buffer.from(text)));
      sortLines(new MessageReader(), lines, 0, lines.length, malformed);
      return malformed.tooMany;
    };
    const event = '{"ActivityType":"FileSystem"}';
    const junk = (count: number): string[] => new Array<string>(count).fill('junk');
    expect(take([...junk(9), event])).toBe(false);
    expect(take(junk(5))).toBe(false);
    expect(take([...junk(4), event, ...junk(9)])).toBe(false);
    expect(take([event, '{"MessageType":"Hello"}', '{"a":1}', ...junk(7)])).toBe(false);
    expect(take(junk(1))).toBe(true);
    expect(take([event])).toBe(true);
  });
});

describe('isCutOff', () => {
  const deepStart = `{"ActivityType":"x","X":${'['.repeat(100)}`;
  it.each([
    // a last line without LF, in any stream, in a numbered one
    ['{"ActivityType":"x"}', false, false],
    ['{"a":1}', false, false],
    ['{"ActivityType":"x","a":1,"a":1}', false, false],
    ['{"ActivityType":"x', true, true],
    [deepStart, false, true],
    ['LEEF:1.0|V|P|1|I|a=b', false, true],
    ['LEEF:1.', false, true],
    ['junk', false, true],
    ['86 <13>1 2026-11-30T20:00:00Z host app - - - LEEF:1.0|V|P|1', true, true],
    ['8', true, true],
    ['20 <13>host LEEF:1.0|V|P|1|I|a=b', false, true],
  ])('%.40s', (line, plain, numbered) => {
    expect([isCutOff(Buffer.from(line), false), isCutOff(Buffer.from(line), true)]).toEqual([
      plain,
      numbered,
    ]);
  });
});
