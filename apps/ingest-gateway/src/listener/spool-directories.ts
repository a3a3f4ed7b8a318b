import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { SpoolAssignment } from '../reactor/messages.js';
import { LOBBY_INDEX, LOBBY_SPOOL_SHARE } from './lobby.js';

/** What is needed to share spools out. */
export interface SpoolDirectoriesOptions {
  /** Absolute path; spools are in `<directory>/<pipeline>/<slot>`. */
  readonly directory: string;
  /** Names of the configured pipelines. */
  readonly pipelines: readonly string[];
  /** How many reactors there are to be now. */
  reactors(): number;
  /** Whether the reactor with this number still runs, draining included. */
  running(index: number): boolean;
  /** Slot of the lobby's spools. */
  readonly lobby: string;
  readonly logger: Logger;
}

/** Shares the spools on disk out among the reactors: each has its own, and some of those whose reactors are no more. */
export class SpoolDirectories {
  /** Spools, as `<pipeline>/<slot>`, and the number of the reactor whose process was told to write them out. */
  readonly #adopted = new Map<string, number>();
  /** Numbers of reactors whose processes have their assignment. */
  readonly #assigned = new Set<number>();

  constructor(private readonly options: SpoolDirectoriesOptions) {}

  /** The spools of the reactor with this number, from 0, or of the lobby, whose process begins. */
  assign(index: number): SpoolAssignment {
    const reactors = this.options.reactors();
    this.ended(index);
    this.#assigned.add(index);
    const { directory, lobby } = this.options;
    if (index === LOBBY_INDEX) return { directory, slot: lobby, adopt: [], share: LOBBY_SPOOL_SHARE };
    const adopt = this.orphans().filter((spool, i) => i % reactors === index && !this.#adopted.has(spool));
    for (const spool of adopt) this.#adopted.set(spool, index);
    return { directory, slot: String(index), adopt, share: (1 - LOBBY_SPOOL_SHARE) / reactors };
  }

  /** The process of a reactor has ended: what it had adopted is nobody's. */
  ended(index: number): void {
    this.#assigned.delete(index);
    for (const [spool, adopter] of this.#adopted) if (adopter === index) this.#adopted.delete(spool);
  }

  /**
   * Gives this reactor the spools that nobody has, but for those that others take when they begin.
   * @returns what each reactor has to be told: all that is its, as it may have done with an earlier spool of the name
   */
  shareOut(index: number): ReadonlyMap<number, readonly string[]> {
    const reactors = this.options.reactors();
    const shares = new Map<number, string[]>();
    for (const [i, spool] of this.orphans().entries()) {
      const adopter = this.#adopted.get(spool) ?? (this.#assigned.has(i % reactors) ? index : undefined);
      if (adopter === undefined) continue;
      this.#adopted.set(spool, adopter);
      shares.set(adopter, [...(shares.get(adopter) ?? []), spool]);
    }
    return shares;
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
    if (slot === this.options.lobby) return true;
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
