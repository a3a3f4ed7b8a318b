import { availableParallelism } from 'node:os';
import type { PeerName } from '../peers/find-peers.js';
import type { CorpusName } from './corpora.js';
import type { GatewayPlan } from './gateway-target.js';

/** Something that `--scenario` names. */
export type Scenario = LoadScenario | PeerScenario | TimedScenario;

/** One way to load the gateway. */
export interface LoadScenario extends Pick<GatewayPlan, 'sink' | 'spool' | 'reactors'> {
  readonly kind: 'load';
  readonly name: string;
  readonly about: string;
  readonly corpus: CorpusName;
  /** One connection each. */
  readonly agents: number;
}

/** The same input through another program. */
export interface PeerScenario {
  readonly kind: 'peer';
  readonly name: string;
  readonly program: PeerName;
  /** What it does, and does not do, of the gateway's work. */
  readonly about: string;
  readonly corpus: CorpusName;
  readonly agents: number;
}

/** Something other than a flood. */
export interface TimedScenario {
  readonly kind: 'start' | 'idle';
  readonly name: string;
  readonly about: string;
}

const defaults = {
  kind: 'load',
  corpus: 'compact',
  sink: 'clickhouse',
  spool: true,
  reactors: 1,
  agents: 1,
} as const;

function load(name: string, about: string, differs: Partial<LoadScenario> = {}): LoadScenario {
  return { ...defaults, name, about, ...differs };
}

function peer(program: PeerName, corpus: CorpusName = 'compact'): PeerScenario {
  const name = corpus === 'compact' ? program : `${program}-${corpus}`;
  const about =
    'TLS 1.3 with a client certificate, JSON parsed, the line unchanged to a file; ' +
    'no validation, no typed columns, no flush to disk, no acknowledgement, no retry, no dead letters';
  return { kind: 'peer', name, program, about, corpus, agents: 1 };
}

const cores = availableParallelism();
const scaled = { sink: 'null', spool: false, agents: 16 } as const;

/** All of them, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  load('null', 'null sink, no spool', { sink: 'null', spool: false }),
  load('null-spool', 'null sink behind the spool', { sink: 'null' }),
  load('clickhouse', 'through the spool into ClickHouse'),
  peer('syslog-ng'),
  peer('rsyslog'),
  load('clickhouse-no-spool', 'into ClickHouse, queue in memory', { spool: false }),
  load('file', 'through the spool into an NDJSON file', { sink: 'file' }),
  load('agents-50', '50 agents, through the spool into ClickHouse', { agents: 50 }),
  load('reactors-1', '1 reactor, 16 agents, null sink, no spool', scaled),
  load('reactors-2', '2 reactors, 16 agents, null sink, no spool', { ...scaled, reactors: 2 }),
  ...(cores > 2
    ? [
        load('reactors-n', `${cores} reactors, one a core, null sink, no spool`, {
          ...scaled,
          reactors: cores,
        }),
      ]
    : []),
  load('null-uniform', 'null sink, no spool', { corpus: 'uniform', sink: 'null', spool: false }),
  load('uniform', 'events of one shape, through the spool into ClickHouse', { corpus: 'uniform' }),
  peer('syslog-ng', 'uniform'),
  peer('rsyslog', 'uniform'),
  load('ascii', 'ASCII letters only, through the spool into ClickHouse', { corpus: 'ascii' }),
  load('full', "the simulator's file events, through the spool into ClickHouse", { corpus: 'file' }),
  load('mixed', 'all types mixed, through the spool into ClickHouse', { corpus: 'mixed' }),
  load('leef', 'LEEF only, through the spool into ClickHouse', { corpus: 'leef' }),
  load('copilot', 'large Copilot records, through the spool into ClickHouse', { corpus: 'copilot' }),
  { kind: 'start', name: 'start', about: 'from the command to ready, embedded ClickHouse included' },
  { kind: 'idle', name: 'idle', about: 'memory of a connection whose agent says nothing' },
];
