import { KeyPlaces } from './key-places.js';
import { UnidentifiedPool } from './unidentified-pool.js';

/** A connection that was let in, until it is closed. */
export interface Connection {
  readonly id: string;
  /** Canonical text of its IP address. */
  readonly address: string;
  readonly group: string;
  /**
   * `unidentified`: in the pool; `deciding`: its key has all its places; `identified`: has a place; `leaving`: it was told
   * to go, counts nowhere and is waited for.
   */
  state: 'unidentified' | 'deciding' | 'identified' | 'leaving';
  /** Set once the peer has proved to hold it. */
  key?: string;
}

/** All connections that were let in and are not closed, by what they are. */
export class ConnectionTable {
  readonly unidentified = new UnidentifiedPool();
  readonly places = new KeyPlaces();
  /** Identified connections that were told to go. */
  readonly #leavingKeys = new KeyPlaces();
  readonly #all = new Map<string, Connection>();
  #leaving = 0;
  #deciding = 0;

  /** Connections told to go that have not gone yet. */
  get leaving(): number {
    return this.#leaving;
  }

  /** Connections that count as identified. */
  get identified(): number {
    return this.places.size + this.#deciding;
  }

  /** Connections of a key that were told to go and have not gone yet. */
  leavingOf(key: string): number {
    return this.#leavingKeys.countOf(key);
  }

  get(id: string): Connection | undefined {
    return this.#all.get(id);
  }

  /** @param since monotonic, ms */
  add(connection: Connection, since: number): void {
    this.#all.set(connection.id, connection);
    this.unidentified.add(connection.id, connection.group, since);
  }

  /** Its key has all its places: it is decided on. */
  decide(connection: Connection): void {
    this.#take(connection, 'deciding');
    this.#deciding += 1;
  }

  place(connection: Connection, key: string): void {
    this.#take(connection, 'identified');
    this.places.add(connection.id, key);
  }

  leave(connection: Connection): void {
    this.#take(connection, 'leaving');
    this.#leaving += 1;
    if (connection.key !== undefined) this.#leavingKeys.add(connection.id, connection.key);
  }

  /** It is closed. */
  remove(connection: Connection): void {
    this.#take(connection, connection.state);
    this.#all.delete(connection.id);
  }

  /** Takes it out of what it was. */
  #take(connection: Connection, next: Connection['state']): void {
    const { id, state } = connection;
    this.unidentified.remove(id);
    this.places.remove(id);
    this.#leavingKeys.remove(id);
    if (state === 'deciding') this.#deciding -= 1;
    if (state === 'leaving') this.#leaving -= 1;
    connection.state = next;
  }
}
