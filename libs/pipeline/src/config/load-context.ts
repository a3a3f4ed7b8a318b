import type { PluginRegistry } from '../registry/index.js';
import type { ProblemList } from './problems.js';

/** What all files of one load share. */
export interface LoadContext {
  readonly env: NodeJS.ProcessEnv;
  readonly registry: PluginRegistry;
  /** Directory that paths on the command line and in messages are relative to. */
  readonly cwd: string;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  /** Days that the event tables keep events, 0 = no TTL; unknown where a pipeline is read alone. */
  readonly eventRetentionDays?: number;
}
