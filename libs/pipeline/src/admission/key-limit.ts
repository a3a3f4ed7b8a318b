import type { Counter } from '../api/index.js';
import type { Connection, ConnectionTable } from './connection-table.js';
import type { AdmissionOptions } from './types.js';

/** A connection of a key at its limit gives way only when it has been silent for so long, ms. */
const SILENT_MS = 60_000;

/** How many connections a key may have, and which of them gives way to a newer one. */
export class KeyLimit {
  /**
   * @param max       connections of one key
   * @param displaced counts those that gave way
   */
  constructor(
    readonly max: number,
    private readonly table: ConnectionTable,
    private readonly host: Pick<AdmissionOptions, 'silences' | 'end'>,
    private readonly displaced: Counter,
  ) {}

  /** Whether a key may have one more connection as things are. */
  hasRoom(key: string): boolean {
    return this.table.places.countOf(key) < this.max;
  }

  /**
   * Makes room for a connection of a key that has none: the one that has been silent longest gives way.
   * @param decided told whether there is room, which the connection has to take at once: the next one is decided on right
   *   after; not called when the connection was closed meanwhile
   */
  async makeRoom(connection: Connection, key: string, decided: (room: boolean) => void): Promise<void> {
    this.table.decide(connection);
    const silences = await this.host.silences(this.table.places.of(key));
    if (connection.state !== 'deciding' || this.table.get(connection.id) === undefined) return;
    decided(this.hasRoom(key) || this.#displaceSilent(key, silences));
  }

  #displaceSilent(key: string, silences: ReadonlyMap<string, number>): boolean {
    // Those told to go may take a while; a key must not gather them.
    if (this.table.leavingOf(key) >= this.max) return false;
    const silentMs = (id: string): number => silences.get(id) ?? 0;
    const [first] = this.table.places.of(key).sort((a, b) => silentMs(b) - silentMs(a));
    const silent = first === undefined || silentMs(first) < SILENT_MS ? undefined : this.table.get(first);
    if (silent === undefined) return false;
    this.table.leave(silent);
    this.displaced.add(1);
    this.host.end(silent.id, 'displaced');
    return true;
  }
}
