import type { Catalog } from './catalog.js';
import type { EntryMeta, SpoolKey } from './format.js';
import type { GroupCommit } from './group-commit.js';
import type { Siblings } from './siblings.js';
import type { ChosenEntry, SpoolDestination } from './spool-destination.js';
import type { SpoolOptions } from './spool-types.js';

/** What setting aside works with. */
export interface QuarantineDependencies {
  readonly options: Pick<SpoolOptions, 'events' | 'logger' | 'now'>;
  readonly catalog: Catalog;
  readonly commits: Pick<GroupCommit, 'change'>;
  readonly siblings: Siblings;
}

/** Sets damaged entries aside: they are counted, logged and kept, and hold up no other. */
export class Quarantine {
  constructor(private readonly dependencies: QuarantineDependencies) {}

  /** Sets aside the records that opening has found damaged. */
  async sweep(): Promise<void> {
    const { catalog, commits, options } = this.dependencies;
    for (const key of catalog.damaged.splice(0)) await this.#setAside(key, undefined);
    for (const key of catalog.damagedFreezes.splice(0)) {
      options.logger.error({ key }, 'Spool batch record damaged; entries may be stored twice');
      await commits.change([{ table: 'frozen', key }]);
    }
  }

  /**
   * Sets aside entries of a lane, with their records or, where these cannot be read, by their ordinals.
   * @param frozen whether they are in a frozen batch, so that the lane does not count them
   */
  async take(
    lane: SpoolDestination,
    damaged: readonly (ChosenEntry | number)[],
    frozen: boolean,
  ): Promise<void> {
    for (const one of damaged) {
      const known = typeof one === 'number' ? undefined : one;
      if (known === undefined && !frozen) lane.subtract({ rows: 0, bytes: 0 });
      await this.#setAside([lane.sink, lane.destination, known?.ordinal ?? Number(one)], known?.meta);
    }
  }

  /** Moves the record; the bytes stay where they are. */
  async #setAside(key: SpoolKey, meta: EntryMeta | undefined): Promise<void> {
    const { options, catalog, commits, siblings } = this.dependencies;
    const { events, logger, now } = options;
    logger.error({ key, entry: meta?.id }, 'Spool entry damaged; quarantined and not written');
    const end = meta && siblings.beginRemoval(key, meta, true);
    const record = Buffer.from(JSON.stringify({ at: now(), ...meta }));
    await commits.change([
      { table: 'quarantine', key, value: record },
      { table: 'index', key },
    ]);
    siblings.endRemoval(key);
    catalog.quarantined += 1;
    if (meta !== undefined) catalog.remove(meta.bytes);
    if (meta !== undefined && end === 'lost') events.lost({ note: meta.note, id: meta.id });
    events.changed();
  }
}
