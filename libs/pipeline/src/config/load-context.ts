import type { GatewayError } from '../api/index.js';
import type { ImportedPackage, PluginRegistry } from '../registry/index.js';
import type { ProblemList } from './problems.js';

/** Packages by the name that `plugins:` has for them, or why one cannot be used. */
export type PluginImports = ReadonlyMap<string, ImportedPackage | GatewayError>;

/** What all files of one load share. */
export interface LoadContext {
  readonly env: NodeJS.ProcessEnv;
  readonly registry: PluginRegistry;
  /** What `plugins:` of `gateway.yaml` may name. */
  readonly plugins: PluginImports;
  /** Directory that paths on the command line and in messages are relative to. */
  readonly cwd: string;
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
  /** Days that the event tables keep events, 0 = no TTL; unknown where a pipeline is read alone. */
  readonly eventRetentionDays?: number;
}
