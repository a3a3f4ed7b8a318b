import type { CorpusName } from './corpora.js';
import type { Figures } from './figures.js';
import type { Scenario } from './scenarios.js';

/** What `--json` writes: every run, and on what. */
export interface Results {
  /** ISO 8601. */
  readonly when: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly rounds: number;
  /** Variables that `--set` gave to the gateway. */
  readonly set: Readonly<Record<string, string | undefined>>;
  readonly runs: Run[];
}

/** Where it ran; nothing that names the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
}

/** One run, in the order in which they were made. */
export type Run = BareRun | LoadRun | StartRun | IdleRun | FailedRun | SkippedRun;

/** The bare loop on an input. */
export interface BareRun {
  readonly kind: 'bare';
  readonly corpus: CorpusName;
  readonly figures: Figures;
}

/** The gateway, or a peer, in a scenario. */
export interface LoadRun {
  readonly kind: 'load' | 'peer';
  readonly scenario: Scenario & { readonly corpus: CorpusName };
  /** Program and version, of a peer. */
  readonly version?: string;
  readonly figures: Figures;
}

/** Times from the command to ready, ms. */
export interface StartRun {
  readonly kind: 'start';
  readonly scenario: Scenario;
  /** With an empty data directory. */
  readonly firstMs: readonly number[];
  /** On the data of the start before. */
  readonly againMs: readonly number[];
}

/** What idle connections cost. */
export interface IdleRun {
  readonly kind: 'idle';
  readonly scenario: Scenario;
  readonly connections: number;
  readonly bytesPerConnection: number;
}

/** A scenario in which an event was missing, or that did not come to its end. */
export interface FailedRun {
  readonly kind: 'failed';
  readonly scenario: Scenario;
  readonly reason: string;
}

/** A peer that is not installed. */
export interface SkippedRun {
  readonly kind: 'skipped';
  readonly scenario: Scenario;
  readonly reason: string;
}
