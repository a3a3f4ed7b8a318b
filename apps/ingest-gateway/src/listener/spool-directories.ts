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
  readonly reactors: number;
  readonly logger: Logger;
}

/** Shares the spools on disk out among the reactors: each has its own, and some of those whose reactors are no more. */
export class SpoolDirectories {
  constructor(private readonly options: SpoolDirectoriesOptions) {}

  /** The spools of the reactor with this number, from 0. */
  assign(index: number): SpoolAssignment {
    const { directory, reactors } = this.options;
    const adopt = this.#orphans().filter((_, i) => i % reactors === index);
    return { directory, slot: String(index), adopt, reactors };
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

  #orphans(): string[] {
    const { directory, pipelines, reactors } = this.options;
    return pipelines.flatMap((pipeline) =>
      list(join(directory, pipeline))
        .filter((slot) => !(/^(0|[1-9][0-9]*)$/.test(slot) && Number(slot) < reactors))
        .map((slot) => `${pipeline}/${slot}`),
    );
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
