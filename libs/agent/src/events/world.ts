import type { Pools } from './pools.js';
import type { Random } from './random.js';
import type { TimeTexts } from './time-texts.js';

/** What the makers of events draw from. */
export interface World {
  readonly random: Random;
  readonly times: TimeTexts;
  readonly pools: Pools;
  /** Name of the sending agent, ready for a JSON string. */
  readonly agentHost: string;
  /** The time of the event in the making, milliseconds since 1970-01-01 UTC. */
  at: number;
}

/** Makes one event as a line, without its LF. */
export type MakeLine = (world: World) => string;
