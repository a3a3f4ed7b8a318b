import { randomBytes } from 'node:crypto';
import { canonicalIp, CidrList } from '../helpers/index.js';
import { addressGroup, parseAddressGroup } from './address-group.js';
import { admissionInstruments, type AdmissionInstruments } from './instruments.js';
import { KeyPlaces } from './key-places.js';
import { KeyedBuckets } from './keyed-buckets.js';
import { KnownAddresses } from './known-addresses.js';
import { Penalties, SLOW, type Effect, type Penalty } from './penalties.js';
import type { AdmissionLimits, AdmissionOptions, Decision, LimitReached, Refusal } from './types.js';
import { UnidentifiedPool } from './unidentified-pool.js';

/**
 * A handshake costs about 1 ms of a core, and a peer needs no right to begin one: an address gets a fifth of a core in
 * the long run. The burst lets a thousand agents behind one address come back together, twice.
 */
const CONNECTION_RATE = { perSecond: 200, burst: 2_000 };
/** Unidentified connections beside the identified ones: half as many as of those, and at least this many. */
const MIN_UNIDENTIFIED = 64;
/** Connections told to go that have not gone yet, as a multiple of the pool: no more are let in until they have. */
const MAX_LEAVING = 4;
/** An address from which a key was identified within this time is slowed instead of banned, ms. */
const SLOWED_WITHIN_MS = 3_600_000;
const MAX_PER_KEY = 8;
/** A connection of a key at its limit gives way only when it has been silent for so long, ms. */
const SILENT_MS = 60_000;

interface Connection {
  readonly id: string;
  readonly address: string;
  readonly group: string;
  state: 'unidentified' | 'deciding' | 'identified' | 'leaving';
  key?: string;
}

/**
 * Decides which connections are let in and which have to go: bans, limits by address and by key, places, and the time
 * that a peer has to be identified. It knows TCP and keys and no protocol; who accepts sockets asks it, and who serves
 * them tells it what they turn out to be.
 */
export class Admission {
  /** From where keys were identified. */
  readonly known: KnownAddresses;
  readonly #idPrefix = randomBytes(4).toString('hex');
  readonly #connections = new Map<string, Connection>();
  readonly #unidentified = new UnidentifiedPool();
  readonly #places = new KeyPlaces();
  readonly #penalties: Penalties;
  readonly #rates: KeyedBuckets;
  readonly #neverBan: CidrList;
  readonly #instruments: AdmissionInstruments;
  readonly #refused: Record<Refusal, number> = { banned: 0, rate: 0, slowed: 0, limit: 0, unidentified: 0 };
  readonly #reached = new Map<LimitReached['limit'], LimitReached>();
  readonly #now: () => number;
  readonly #monotonic: () => number;
  #limits: AdmissionLimits;
  #lastId = 0;
  #leaving = 0;
  #deciding = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: AdmissionOptions) {
    this.#now = options.now ?? Date.now;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#limits = options.limits;
    this.#neverBan = new CidrList(options.neverBan ?? []);
    this.#instruments = admissionInstruments(options.metrics);
    this.#penalties = new Penalties(this.#now, this.#monotonic);
    this.#rates = new KeyedBuckets(CONNECTION_RATE, undefined, this.#monotonic);
    this.known = new KnownAddresses(this.#now);
  }

  /** Identified connections: those that count against `maxConnections`. */
  get identifiedConnections(): number {
    return this.#places.size + this.#deciding;
  }

  /** Connections let in whose peers have not proved a known key. */
  get unidentifiedConnections(): number {
    return this.#unidentified.size;
  }

  /** Limits in force. */
  get limits(): AdmissionLimits {
    return this.#limits;
  }

  /** Connections refused before a byte of them was read, since the start. */
  get refused(): Readonly<Record<Refusal, number>> {
    return { ...this.#refused };
  }

  /** Limits at which somebody was turned away within the time, ms. */
  reachedWithin(ms: number): LimitReached[] {
    const since = this.#now() - ms;
    return [...this.#reached.values()].filter(({ at }) => at >= since);
  }

  /** Replaces the limits. Connections that are open stay. */
  setLimits(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#armDeadline();
  }

  /**
   * Decides on a new connection, before anything of it is read. One that is let in is followed by its id until
   * `released`.
   * @param remote text of an IP address, in any form
   */
  admit(remote: string): Decision {
    const address = canonicalIp(remote) ?? remote;
    const group = addressGroup(address);
    const reason = this.#refusal(address, group);
    if (reason !== undefined) {
      this.#refused[reason] += 1;
      this.#instruments.rejected.add(1, { reason });
      return { admitted: false, reason, address };
    }
    const connectionId = `${this.#idPrefix}-${(this.#lastId += 1)}`;
    this.#connections.set(connectionId, { id: connectionId, address, group, state: 'unidentified' });
    this.#unidentified.add(connectionId, group, this.#monotonic());
    this.#instruments.accepted.add(1);
    this.#report();
    if (this.#timer === undefined) this.#armDeadline();
    return { admitted: true, connectionId, address };
  }

  /**
   * The peer of a connection has proved to hold a known key. It gets a place, unless there is none: then it is ended, or
   * another connection of its key.
   */
  identified(connectionId: string, key: string): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined || connection.key !== undefined) return;
    connection.key = key;
    this.known.identified(connection.address);
    // Only handshakes of peers that prove nothing use up what a slowed address may do.
    this.#penalties.find(connection.group)?.handshakes.giveBack();
    if (connection.state === 'leaving') return;
    this.#unidentified.remove(connectionId);
    if (this.#places.countOf(key) < this.#maxPerKey) this.#place(connection, key);
    else void this.#decide(connection, key);
    this.#report();
  }

  /** A connection is closed, wherever it was served. Safe twice. */
  released(connectionId: string): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    this.#connections.delete(connectionId);
    this.#unidentified.remove(connectionId);
    this.#places.remove(connectionId);
    if (connection.state === 'leaving') this.#leaving -= 1;
    if (connection.state === 'deciding') this.#deciding -= 1;
    if (connection.key !== undefined) this.known.released(connection.address);
    this.#report();
  }

  /**
   * The peer of a connection has broken a rule; whoever serves the connection closes it. Bans its address and closes the
   * address's unidentified connections, or slows the address when keys were identified from it in the last hour. An
   * identified connection, and an address that is never banned, cause nothing.
   * @param reason bounded code
   */
  violation(connectionId: string, reason: string): Effect | undefined {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined || connection.key !== undefined) return undefined;
    if (this.#neverBan.has(connection.address)) return undefined;
    // It is being closed already, and may still be answered: not cut with the others.
    if (connection.state === 'unidentified') this.#leave(connection);
    const { group } = connection;
    const effect = this.known.has(group, SLOWED_WITHIN_MS) ? 'slow' : 'ban';
    const isNew = this.#penalties.add(group, effect, reason, this.#limits.penaltyMs);
    this.#logPenalty({ sourceIp: group, reason, seconds: this.#limits.penaltyMs / 1_000 }, effect, isNew);
    this.#cutUnidentified(group, effect);
    this.#report();
    return effect;
  }

  /** Whether a key was identified from this address in the last `withinMs`, or a connection of one is open. */
  knownAddress(address: string, withinMs: number): boolean {
    return this.known.has(address, withinMs);
  }

  /** Unidentified connections of an address and those that count as one with it. */
  unidentifiedOf(address: string): number {
    return this.#unidentified.countOf(addressGroup(address));
  }

  /** Bans and slowings that hold now. */
  penalties(): Penalty[] {
    return this.#penalties.list();
  }

  /**
   * Ends the ban or the slowing of an address.
   * @param text an address, or a group as `penalties` shows it
   * @returns whether there was one
   */
  lift(text: string): boolean {
    const group = parseAddressGroup(text);
    const lifted = group !== undefined && this.#penalties.lift(group);
    this.#report();
    return lifted;
  }

  /** Ends its timer. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #refusal(address: string, group: string): Refusal | undefined {
    const held = this.#penalties.find(group);
    const penalty = held === undefined || this.#neverBan.has(address) ? undefined : held;
    if (penalty?.effect === 'ban') return 'banned';
    if (this.#rates.of(group).take() > 0) return 'rate';
    if (this.identifiedConnections >= this.#limits.maxConnections) {
      this.#turnedAway('connections');
      return 'limit';
    }
    if (penalty !== undefined && penalty.handshakes.take() > 0) return 'slowed';
    return this.#makeRoom(group, penalty !== undefined) ? undefined : 'unidentified';
  }

  /** Makes room for one more unidentified connection; whether there is some. */
  #makeRoom(group: string, slowed: boolean): boolean {
    if (slowed && this.#unidentified.countOf(group) >= SLOW.unidentified) {
      this.#displace(this.#unidentified.oldestOf(group));
    }
    const capacity = Math.max(MIN_UNIDENTIFIED, Math.floor(this.#limits.maxConnections / 2));
    while (this.#unidentified.size >= capacity) {
      if (this.#leaving >= MAX_LEAVING * capacity) return false;
      this.#displace(this.#unidentified.oldestOfLargest());
    }
    return true;
  }

  #displace(id: string | undefined): void {
    this.#instruments.displaced.add(1);
    this.#cut(id);
  }

  #cut(id: string | undefined): void {
    const connection = id === undefined ? undefined : this.#connections.get(id);
    if (connection === undefined) return;
    this.#leave(connection);
    this.options.cut(connection.id);
  }

  /** The connection counts nowhere from now on, and is waited for. */
  #leave(connection: Connection): void {
    this.#unidentified.remove(connection.id);
    this.#places.remove(connection.id);
    connection.state = 'leaving';
    this.#leaving += 1;
  }

  /** A place for a connection of a key that may have one more. */
  #place(connection: Connection, key: string): void {
    if (this.#places.size >= this.#limits.maxConnections) return this.#end(connection, 'connections');
    connection.state = 'identified';
    this.#places.add(connection.id, key);
  }

  /** The key has all its places: the connection that has been silent longest gives way, or this one ends. */
  async #decide(connection: Connection, key: string): Promise<void> {
    connection.state = 'deciding';
    this.#deciding += 1;
    const silences = await this.options.silences(this.#places.of(key));
    // Closed meanwhile.
    if (!this.#connections.has(connection.id)) return;
    this.#deciding -= 1;
    if (this.#places.countOf(key) >= this.#maxPerKey) {
      const silent = this.#places.of(key).filter((id) => (silences.get(id) ?? 0) >= SILENT_MS);
      const [first] = silent.sort((a, b) => (silences.get(b) ?? 0) - (silences.get(a) ?? 0));
      const giving = first === undefined ? undefined : this.#connections.get(first);
      if (giving === undefined) return this.#end(connection, 'key');
      this.#instruments.keyDisplaced.add(1);
      this.#leave(giving);
      this.options.end(giving.id, 'displaced');
    }
    this.#place(connection, key);
    this.#report();
  }

  #end(connection: Connection, limit: LimitReached['limit']): void {
    this.#instruments.overLimit.add(1, { limit });
    this.#turnedAway(limit, connection.key);
    this.#leave(connection);
    this.options.end(connection.id, 'limit');
    this.#report();
  }

  #turnedAway(limit: LimitReached['limit'], key?: string): void {
    const refused = (this.#reached.get(limit)?.refused ?? 0) + 1;
    this.#reached.set(limit, { limit, refused, at: this.#now(), ...(key !== undefined && { key }) });
    const { maxConnections } = this.#limits;
    if (limit === 'connections') {
      this.options.logger.warn({ limit: maxConnections }, 'Connection limit reached');
    } else {
      this.options.logger.warn({ limit: this.#maxPerKey, key }, 'Connection limit of a key reached');
    }
  }

  #cutUnidentified(group: string, effect: Effect): void {
    const ids = this.#unidentified.of(group);
    const going = effect === 'ban' ? ids : ids.slice(0, Math.max(0, ids.length - SLOW.unidentified));
    for (const id of going) {
      if (!this.#neverBan.has(this.#connections.get(id)?.address ?? '')) this.#cut(id);
    }
  }

  #logPenalty(fields: Readonly<Record<string, unknown>>, effect: Effect, isNew: boolean): void {
    const message = effect === 'ban' ? 'Address banned' : 'Address slowed';
    if (isNew) this.options.logger.warn(fields, message);
    else this.options.logger.debug(fields, message);
  }

  /** One timer for the connection that has waited longest. */
  #armDeadline(): void {
    clearTimeout(this.#timer);
    const oldest = this.#unidentified.oldest();
    this.#timer = undefined;
    if (oldest === undefined) return;
    const due = oldest.since + this.#limits.unidentifiedMs - this.#monotonic();
    this.#timer = setTimeout(() => this.#cutOverdue(), Math.max(1, due)).unref();
  }

  #cutOverdue(): void {
    const before = this.#monotonic() - this.#limits.unidentifiedMs;
    for (;;) {
      const oldest = this.#unidentified.oldest();
      if (oldest === undefined || oldest.since > before) break;
      this.#cut(oldest.id);
    }
    this.#report();
    this.#armDeadline();
  }

  get #maxPerKey(): number {
    return this.options.maxPerKey ?? MAX_PER_KEY;
  }

  #report(): void {
    const { open, unidentified, bans, slowed } = this.#instruments;
    const { ban, slow } = this.#penalties.counts;
    open.set(this.identifiedConnections);
    unidentified.set(this.#unidentified.size);
    bans.set(ban);
    slowed.set(slow);
  }
}
