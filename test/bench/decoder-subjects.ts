import { readdirSync, readFileSync } from 'node:fs';
import { createEventGenerator, type EventKind } from '@activity-gateway/agent';
import {
  Batch,
  type JsonSchema,
  type Origin,
  type SourceEvent,
  type Transform,
} from '@activity-gateway/pipeline/api';
import { readMessage } from '@activity-gateway/activity';
import { copilotParser } from '../../plugins/parsers/copilot/index.js';
import { leefParser } from '../../plugins/parsers/leef/index.js';
import { sharepointParser } from '../../plugins/parsers/sharepoint/index.js';
import { smbParser } from '../../plugins/parsers/smb/index.js';

/** Lines of one parser, and what it takes them with. */
export interface Subject {
  readonly name: string;
  /** Folder of the parser in `plugins/parsers`. */
  readonly parser: string;
  readonly schema: JsonSchema;
  readonly lines: readonly Buffer[];
  /** The clock of the lines, ms since 1970-01-01 UTC. */
  readonly receivedAt: number;
}

/** What sends the lines. */
export const BENCH_ORIGIN: Origin = {
  connectionId: 'bench',
  sender: '0'.repeat(64),
  senderHost: 'BENCH',
  sourceIp: '192.0.2.1',
};

/** When test cases were received: 2026-11-20 12:00 UTC, as golden runs have it. */
const RECEIVED_AT = Date.UTC(2026, 10, 20, 12);

const PARSERS: readonly { parser: string; kind: EventKind; schema: JsonSchema }[] = [
  { parser: 'smb', kind: 'file', schema: smbParser.messageSchema },
  { parser: 'sharepoint', kind: 'sharepoint', schema: sharepointParser.messageSchema },
  { parser: 'copilot', kind: 'copilot', schema: copilotParser.messageSchema },
  { parser: 'leef', kind: 'leef', schema: leefParser.messageSchema },
];

/**
 * For each parser two corpora of so many lines: generated ones, and those of its test cases over and over, without
 * the ones it refuses.
 * @param parserOf makes the parser of a folder's name
 */
export function makeSubjects(events: number, parserOf: (name: string) => Transform): Subject[] {
  return PARSERS.flatMap(({ parser, kind, schema }) => {
    const shared = { parser, schema, receivedAt: RECEIVED_AT };
    const transform = parserOf(parser);
    const good = testCases(parser).filter((line) => isTaken(transform, line));
    return [
      { ...shared, name: parser, lines: generated(kind, events) },
      {
        ...shared,
        name: `${parser} test cases`,
        lines: Array.from({ length: events }, (_, at) => good[at % good.length] as Buffer),
      },
    ];
  });
}

function generated(kind: EventKind, events: number): Buffer[] {
  let clock = RECEIVED_AT;
  const generator = createEventGenerator({
    seed: 1,
    types: [kind],
    agentHost: BENCH_ORIGIN.senderHost,
    now: () => (clock += 3),
  });
  return Array.from({ length: events }, () => Buffer.from(generator.next().line));
}

/** All lines of a parser's golden test cases that run with default options. */
function testCases(parser: string): Buffer[] {
  const root = new URL(`../../../plugins/parsers/${parser}/testcases/`, import.meta.url);
  return readdirSync(root).flatMap((name) => {
    const files = readdirSync(new URL(`${name}/`, root));
    const input = files.find((file) => file.startsWith('input.'));
    if (input === undefined || files.includes('options.yaml')) return [];
    const lines = readFileSync(new URL(`${name}/${input}`, root), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => Buffer.from(line));
  });
}

function isTaken(parser: Transform, line: Buffer): boolean {
  const batch = new Batch(BENCH_ORIGIN, RECEIVED_AT, line.length, readEvents([line]));
  parser.apply(batch);
  return batch.events[0]?.record !== undefined;
}

/** Reads lines as a source does; what is no event is left out. */
export function readEvents(lines: readonly Buffer[]): SourceEvent[] {
  const events: SourceEvent[] = [];
  for (const line of lines) {
    const message = readMessage(line);
    if (message.kind === 'event') events.push(message.event);
  }
  return events;
}
