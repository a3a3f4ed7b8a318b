import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@app/pipeline/api';
import type { SpoolAssignment } from '../reactor/messages.js';

/** What is needed to share spools out. */
export interface SpoolDirectoriesOptions {
  /** Absolute path; spools are in `<directory>/<pipeline>/<slot>`. */
  readonly directory: string;
  /** Names of the configured pipelines. */
  readonly pipelines: readonly string[];
  /** How many reactors there are to be now. */
  reactors(): number;
  /** Whether the reactor with this number still runs, be it to drain. */
  running(index: number): boolean;
  readonly logger: Logger;
}

/** Shares the spools on disk out among the reactors: each has its own, and some of those whose reactors are no more. */
export class SpoolDirectories {
  constructor(private readonly options: SpoolDirectoriesOptions) {}

  /** The spools of the reactor with this number, from 0. */
  assign(index: number): SpoolAssignment {
    const reactors = this.options.reactors();
    const adopt = this.orphans().filter((_, i) => i % reactors === index);
    return { directory: this.options.directory, slot: String(index), adopt, reactors };
  }

  /** Warns of spools whose pipelines are not configured: nobody writes them. */
  warnOfStrays(): void {
    const { directory, pipelines, logger } = this.options;
    for (const pipeline of list(directory)) {
      if (pipelines.includes(pipeline)) continue;
      const text =
        'There is a spool of a pipeline that is not configured. What it holds waits until the pipeline is back.';
      logger.warn({ pipeline, directory: join(directory, pipeline) }, text);
    }
  }

  /** Spools, as `<pipeline>/<slot>`, that no reactor has and none will have. */
  orphans(): string[] {
    const { directory, pipelines } = this.options;
    return pipelines.flatMap((pipeline) =>
      list(join(directory, pipeline))
        .filter((slot) => !this.#taken(slot))
        .map((slot) => `${pipeline}/${slot}`),
    );
  }

  #taken(slot: string): boolean {
    if (!/^(0|[1-9][0-9]*)$/.test(slot)) return false;
    return Number(slot) < this.options.reactors() || this.options.running(Number(slot));
  }
}

/** Names of the directories in a directory, sorted; none where there is no such directory. */
function list(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
