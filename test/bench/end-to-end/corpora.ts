import { createEventGenerator, EVENT_KINDS, type EventKind } from '@activity-gateway/agent';
import { agentName } from './identities.js';

/** Inputs of the scenarios, each with what it is. */
export const CORPORA = {
  compact: 'file events with the usual keys, about 370 bytes; most hold letters outside ASCII',
  ascii: 'the same with ASCII letters only',
  uniform: 'file events with the same keys each, ASCII letters only, about 350 bytes',
  file: 'file events as the simulator makes them',
  mixed: 'all four types as the simulator mixes them',
  leef: 'LEEF lines',
  copilot: 'Copilot interactions of 16 KiB and more',
} as const;

/** Name of an input. */
export type CorpusName = keyof typeof CORPORA;

/** The lines of an input, one after the other, each with its LF. */
export interface LineCorpus {
  readonly bytes: Buffer;
  /** Where each line ends, after its LF; offset in `bytes`. */
  readonly ends: Uint32Array;
}

const KINDS: Readonly<Record<CorpusName, readonly EventKind[]>> = {
  compact: ['file'],
  ascii: ['file'],
  uniform: ['file'],
  file: ['file'],
  mixed: EVENT_KINDS,
  leef: ['leef'],
  copilot: ['copilot'],
};
/** Bytes of an input: it is sent over and over, and shall not fit into any cache of the processor. */
const CORPUS_BYTES = 24 * 1024 * 1024;
const LARGE_RECORD_BYTES = 16 * 1024;
/** Keys of the usual file event: more than a third of the compact ones have just these. */
const USUAL_KEYS =
  'TimeLogged,ActivityType,AgentHost,Host,Operation,ObjectType,Path,FileSize,BytesTransferred,UserName,ClientIP,Protocol,Success';
/** Left out of compact events: UNC forms of the path, texts of access lists, and the SID of a user who has a name. */
const NOT_COMPACT = ['ShareName', 'UncPath', 'NewUncPath', 'OldValue', 'NewValue', 'ProtocolVersion'];

/** Types of the events of an input. */
export function kindsOf(name: CorpusName): readonly EventKind[] {
  return KINDS[name];
}

/**
 * Makes an input; the same but for the times of its events, which are those of the last 5 s.
 * @param size bytes, at least
 */
export function makeLines(name: CorpusName, size = CORPUS_BYTES): LineCorpus {
  const generator = createEventGenerator({ seed: 6, types: KINDS[name], agentHost: agentName(0) });
  const line = (): string => generator.next().line;
  const shape: Partial<Record<CorpusName, () => string>> = {
    compact: () => compact(line()),
    ascii: () => ascii(compact(line())),
    uniform: () => usual(() => ascii(compact(line()))),
    copilot: () => large(line),
  };
  const next = shape[name] ?? line;
  const lines: Buffer[] = [];
  for (let made = 0; made < size; made += lines.at(-1)?.length ?? 0) {
    lines.push(Buffer.from(`${next()}\n`));
  }
  let end = 0;
  return { bytes: Buffer.concat(lines), ends: Uint32Array.from(lines, ({ length }) => (end += length)) };
}

function compact(line: string): string {
  const event = JSON.parse(line) as Record<string, unknown>;
  for (const key of NOT_COMPACT) delete event[key];
  if (event['UserName'] !== undefined) delete event['UserSid'];
  return JSON.stringify(event);
}

function ascii(line: string): string {
  return line.replace(/[^\x20-\x7e]/g, 'x');
}

/** The next line with the usual keys. */
function usual(next: () => string): string {
  let line = next();
  while (Object.keys(JSON.parse(line) as object).join() !== USUAL_KEYS) line = next();
  return line;
}

interface Interaction {
  CopilotEventData?: { AccessedResources: unknown[]; Messages: unknown[] };
}

/** An interaction that has touched what many have. */
function large(line: () => string): string {
  const next = (): Interaction => JSON.parse(line()) as Interaction;
  let first = next();
  while (first.CopilotEventData === undefined) first = next();
  let text = '';
  while (text.length < LARGE_RECORD_BYTES) {
    const more = next().CopilotEventData;
    first.CopilotEventData.AccessedResources.push(...(more?.AccessedResources ?? []));
    first.CopilotEventData.Messages.push(...(more?.Messages ?? []));
    text = JSON.stringify(first);
  }
  return text;
}
