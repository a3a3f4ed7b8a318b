import { availableParallelism } from 'node:os';
import type { CorpusName } from './corpora.js';
import type { SinkName } from './gateway-config.js';

/** One way to load the gateway. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  readonly corpus: CorpusName;
  readonly sink: SinkName;
  readonly spool: boolean;
  readonly reactors: number;
  /** One connection each. */
  readonly agents: number;
}

const defaults = { corpus: 'compact', sink: 'clickhouse', spool: true, reactors: 1, agents: 1 } as const;

function scenario(name: string, about: string, differs: Partial<Scenario> = {}): Scenario {
  return { ...defaults, name, about, ...differs };
}

const cores = availableParallelism();
const scaled = { sink: 'null', spool: false, agents: 16 } as const;

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  scenario('null', 'null sink, no spool, one agent', { sink: 'null', spool: false }),
  scenario('null-spool', 'null sink behind the spool', { sink: 'null' }),
  scenario('clickhouse', 'through the spool into ClickHouse, one agent'),
  scenario('clickhouse-no-spool', 'into ClickHouse, queue in memory', { spool: false }),
  scenario('file', 'through the spool into NDJSON files', { sink: 'file' }),
  scenario('agents-50', 'through the spool into ClickHouse, 50 agents', { agents: 50 }),
  scenario('full', "the simulator's full file events, into ClickHouse", { corpus: 'file' }),
  scenario('mixed', 'all types mixed, into ClickHouse', { corpus: 'mixed' }),
  scenario('leef', 'LEEF only, into ClickHouse', { corpus: 'leef' }),
  scenario('copilot', 'large Copilot records, into ClickHouse', { corpus: 'copilot' }),
  scenario('reactors-1', '1 reactor, 16 agents, null sink, no spool', scaled),
  scenario('reactors-2', '2 reactors, 16 agents, null sink, no spool', { ...scaled, reactors: 2 }),
  ...(cores > 2
    ? [scenario('reactors-n', `${cores} reactors, one a core`, { ...scaled, reactors: cores, agents: 16 * cores })]
    : []),
];
