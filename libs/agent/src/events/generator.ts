import { copilotEvent } from './copilot.js';
import { fileSystemEvent } from './file-system.js';
import { leefEvent } from './leef.js';
import { createPools, type Pools } from './pools.js';
import { Random } from './random.js';
import type { EventKind, GeneratedKind } from './kinds.js';
import { refusedEvent } from './refused.js';
import { sharepointEvent } from './sharepoint.js';
import { escapeJson } from './text.js';
import { TimeTexts } from './time-texts.js';
import type { MakeLine, World } from './world.js';

/** What to generate. */
export interface EventGeneratorOptions {
  /** The same seed, options and times give the same events. */
  readonly seed: number;
  /** At least one kind. */
  readonly types: readonly EventKind[];
  /** Name of the agent, as events carry it. */
  readonly agentHost: string;
  /** Milliseconds since 1970-01-01 UTC; `Date.now` by default. Events are up to 5 s older. */
  readonly now?: () => number;
  /** Share of events that a gateway must refuse into its dead letters, 0 to 1; 0 by default. */
  readonly badRatio?: number;
}

/** One message, ready to be sent. */
export interface GeneratedEvent {
  readonly type: GeneratedKind;
  /** Whether it belongs into the dead letters. */
  readonly bad: boolean;
  /** Without LF. */
  readonly line: string;
}

/** Makes one event after the other, without end. */
export interface EventGenerator {
  next(): GeneratedEvent;
}

const MAKERS: Readonly<Record<EventKind, MakeLine>> = {
  file: fileSystemEvent,
  sharepoint: sharepointEvent,
  copilot: copilotEvent,
  leef: leefEvent,
};
/** How often each kind comes, of the kinds that were asked for. */
const WEIGHTS: Readonly<Record<EventKind, number>> = { file: 10, sharepoint: 4, copilot: 2, leef: 4 };
const MAX_AGE_MS = 5_000;

let sharedPools: Pools | undefined;

/** Makes a generator of realistic, untidy events as `docs/reference/events.md` describes them. */
export function createEventGenerator(options: EventGeneratorOptions): EventGenerator {
  const now = options.now ?? Date.now;
  const badRatio = options.badRatio ?? 0;
  const kinds = options.types.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
  const world: World = {
    random: new Random(options.seed),
    times: new TimeTexts(),
    pools: (sharedPools ??= createPools()),
    agentHost: escapeJson(options.agentHost),
    at: 0,
  };
  return {
    next() {
      world.at = now() - world.random.int(MAX_AGE_MS);
      const type = world.random.pick(kinds);
      if (badRatio > 0 && world.random.fraction() < badRatio) return nextRefused(type, world);
      return { type, bad: false, line: MAKERS[type](world) };
    },
  };
}

function nextRefused(kind: EventKind, world: World): GeneratedEvent {
  const type = world.random.oneIn(5) ? 'unknown' : kind;
  return { type, bad: true, line: refusedEvent(type, world) };
}
