import { randomBytes } from 'node:crypto';
import { addressGroup, canonicalIp, CidrList, parseAddressGroup } from '../helpers/index.js';
import { ConnectionTable, type Connection } from './connection-table.js';
import { Deadline } from './deadline.js';
import { admissionInstruments, type AdmissionInstruments } from './instruments.js';
import { KeyLimit } from './key-limit.js';
import { KeyedBuckets } from './keyed-buckets.js';
import { KnownAddresses } from './known-addresses.js';
import { LimitsReached } from './limits-reached.js';
import { Penalties, type Effect, type Penalty } from './penalties.js';
import type { AdmissionLimits, AdmissionOptions, Decision, LimitReached, Refusal } from './types.js';

/**
 * A handshake costs about 1 ms of a core, and a peer needs no right to begin one: an address gets a fifth of a core in
 * the long run. The burst lets a thousand peers behind one address come back together, twice.
 */
const CONNECTION_RATE = { perSecond: 200, burst: 2_000 };
/** Unidentified connections beside the identified ones: half as many as of those, and at least this many. */
const MIN_UNIDENTIFIED = 64;
/**
 * Connections told to go that have not gone yet, as a multiple of the pool: no more are let in until they have. Whoever
 * serves unknown addresses may be slow to end them; others do not wait for that.
 */
const MAX_LEAVING = { unknown: 4, known: 8 } as const;
/** How long an address is known after a key was identified there, ms. */
const KNOWN_FOR_MS = 86_400_000;
/** An address from which a key was identified within this time is slowed instead of banned, ms. */
const SLOWED_WITHIN_MS = 3_600_000;
/** Unidentified connections of a slowed address. */
const SLOWED_UNIDENTIFIED = 4;
const MAX_PER_KEY = 8;

/**
 * Decides which connections are let in and which have to go: bans, limits by address and by key, places, and the time
 * that a peer has to be identified. It knows TCP and keys and no protocol; who accepts sockets asks it, and who serves
 * them tells it what they turn out to be.
 */
export class Admission {
  /** From where keys were identified. */
  readonly known: KnownAddresses;
  readonly #idPrefix = randomBytes(4).toString('hex');
  readonly #connections = new ConnectionTable();
  readonly #penalties: Penalties;
  readonly #rates: KeyedBuckets;
  readonly #neverBan: CidrList;
  readonly #keyLimit: KeyLimit;
  readonly #instruments: AdmissionInstruments;
  readonly #refused: Record<Refusal, number> = { banned: 0, rate: 0, slowed: 0, limit: 0, unidentified: 0 };
  readonly #reached: LimitsReached;
  /** Of the connection that has waited longest. */
  readonly #deadline: Deadline;
  /** Of the penalty that began first, so that the metrics show when it has ended. */
  readonly #penaltyEnd: Deadline;
  readonly #monotonic: () => number;
  #limits: AdmissionLimits;
  #lastId = 0;

  constructor(private readonly options: AdmissionOptions) {
    const now = options.now ?? Date.now;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#limits = options.limits;
    this.#neverBan = new CidrList(options.neverBan ?? []);
    this.#instruments = admissionInstruments(options.metrics);
    this.#keyLimit = new KeyLimit(
      options.maxPerKey ?? MAX_PER_KEY,
      this.#connections,
      options,
      this.#instruments.keyDisplaced,
    );
    this.#penalties = new Penalties(now, this.#monotonic);
    this.#rates = new KeyedBuckets(CONNECTION_RATE, undefined, this.#monotonic);
    this.#reached = new LimitsReached(now);
    this.#deadline = new Deadline(
      () => this.#untilOverdue(),
      () => this.#cutOverdue(),
    );
    this.#penaltyEnd = new Deadline(
      () => this.#penalties.untilFirstEnds(),
      () => this.#penaltiesEnded(),
    );
    this.known = new KnownAddresses(now);
  }

  /** Identified connections: those that count against `maxConnections`. */
  get identifiedConnections(): number {
    return this.#connections.identified;
  }

  /** Connections let in whose peers have not proved a known key. */
  get unidentifiedConnections(): number {
    return this.#connections.unidentified.size;
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
    return this.#reached.within(ms);
  }

  /** Replaces the limits. Connections that are open stay. */
  setLimits(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#deadline.arm();
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
    const id = `${this.#idPrefix}-${(this.#lastId += 1)}`;
    this.#connections.add({ id, address, group, state: 'unidentified' }, this.#monotonic());
    this.#instruments.accepted.add(1);
    this.#report();
    if (!this.#deadline.armed) this.#deadline.arm();
    return { admitted: true, connectionId: id, address };
  }

  /**
   * The peer of a connection has proved to hold a known key. It gets a place, unless there is none: then it is ended, or
   * another connection of its key.
   */
  identified(connectionId: string, key: string): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined || connection.key !== undefined) return;
    this.known.identified(connection.address);
    connection.key = key;
    // Only handshakes of peers that prove nothing use up what a slowed address may do.
    this.#penalties.find(connection.group)?.handshakes.giveBack();
    if (connection.state === 'leaving') return;
    if (this.#keyLimit.hasRoom(key)) this.#place(connection, key);
    else this.#decide(connection, key);
    this.#report();
  }

  /** A connection is closed, wherever it was served. Safe twice. */
  released(connectionId: string): void {
    const connection = this.#connections.get(connectionId);
    if (connection === undefined) return;
    this.#connections.remove(connection);
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
    // It is being closed already, and may still be answered: not cut with the others.
    if (connection.state === 'unidentified') this.#connections.leave(connection);
    const effect = this.#neverBan.has(connection.address)
      ? undefined
      : this.#penalize(connection.group, reason);
    this.#report();
    return effect;
  }

  /**
   * Whether a key was identified from this address in the last 24 hours, and nobody there has broken a rule since: it is
   * neither banned nor slowed.
   */
  isKnown(address: string): boolean {
    return this.known.has(address, KNOWN_FOR_MS) && this.#penalties.find(addressGroup(address)) === undefined;
  }

  /** Unidentified connections of an address and those that count as one with it. */
  unidentifiedOf(address: string): number {
    return this.#connections.unidentified.countOf(addressGroup(address));
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

  /** Ends its timers. */
  close(): void {
    this.#deadline.stop();
    this.#penaltyEnd.stop();
  }

  #refusal(address: string, group: string): Refusal | undefined {
    const held = this.#penalties.find(group);
    const penalty = held === undefined || this.#neverBan.has(address) ? undefined : held;
    if (penalty?.effect === 'ban') return 'banned';
    if (this.#rates.of(group).take() > 0) return 'rate';
    if (this.#connections.identified >= this.#limits.maxConnections) {
      this.#turnedAway('connections');
      return 'limit';
    }
    if (penalty !== undefined && !penalty.handshakes.take()) return 'slowed';
    return this.#makeRoom(group, penalty !== undefined) ? undefined : 'unidentified';
  }

  /** Makes room for one more unidentified connection; whether there is some. */
  #makeRoom(group: string, slowed: boolean): boolean {
    const { unidentified } = this.#connections;
    if (slowed && unidentified.countOf(group) >= SLOWED_UNIDENTIFIED) {
      this.#displace(unidentified.oldestOf(group));
    }
    const capacity = Math.max(MIN_UNIDENTIFIED, Math.floor(this.#limits.maxConnections / 2));
    while (unidentified.size >= capacity) {
      const most = MAX_LEAVING[this.isKnown(group) ? 'known' : 'unknown'];
      if (this.#connections.leaving >= most * capacity) return false;
      this.#displace(unidentified.oldestOfLargest());
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
    this.#connections.leave(connection);
    this.options.cut(connection.id);
  }

  /** Gives a place to a connection of a key that may have one more, where there is one in all. */
  #place(connection: Connection, key: string): void {
    if (this.#connections.places.size >= this.#limits.maxConnections) this.#end(connection, 'connections');
    else this.#connections.place(connection, key);
  }

  /** The key has all its places: a silent connection gives way, or this one ends. */
  #decide(connection: Connection, key: string): void {
    void this.#keyLimit.makeRoom(connection, key, (room) => {
      if (room) this.#place(connection, key);
      else this.#end(connection, 'key');
      this.#report();
    });
  }

  /** There is no place for an identified connection. */
  #end(connection: Connection, limit: LimitReached['limit']): void {
    this.#connections.leave(connection);
    this.#instruments.overLimit.add(1, { limit });
    this.#turnedAway(limit, connection.key);
    this.options.end(connection.id, 'limit');
  }

  #turnedAway(limit: LimitReached['limit'], key?: string): void {
    const max = limit === 'key' ? this.#keyLimit.max : this.#limits.maxConnections;
    this.#reached.add(limit, max, key);
    if (limit === 'key') this.options.logger.warn({ limit: max, key }, 'Connection limit of a key reached');
    else this.options.logger.warn({ limit: max }, 'Connection limit reached');
  }

  #penalize(group: string, reason: string): Effect {
    const { penaltyMs } = this.#limits;
    const effect = this.known.has(group, SLOWED_WITHIN_MS) ? 'slow' : 'ban';
    const isNew = this.#penalties.add(group, effect, reason, penaltyMs);
    const fields = { sourceIp: group, reason, seconds: penaltyMs / 1_000 };
    const message = effect === 'ban' ? 'Address banned' : 'Address slowed';
    if (isNew) this.options.logger.warn(fields, message);
    else this.options.logger.debug(fields, message);
    this.options.penalized?.(group, effect, reason);
    this.#cutUnidentified(group, effect === 'ban' ? 0 : SLOWED_UNIDENTIFIED);
    if (!this.#penaltyEnd.armed) this.#penaltyEnd.arm();
    return effect;
  }

  /** Cuts the unidentified connections of a group, the oldest first, until as many are left. */
  #cutUnidentified(group: string, left: number): void {
    const ids = this.#connections.unidentified
      .of(group)
      .filter((id) => !this.#neverBan.has(this.#connections.get(id)?.address ?? ''));
    for (const id of ids.slice(0, Math.max(0, ids.length - left))) this.#cut(id);
  }

  /** Time until the connection that has waited longest has to be identified, ms. */
  #untilOverdue(): number | undefined {
    const oldest = this.#connections.unidentified.oldest();
    return oldest && oldest.since + this.#limits.unidentifiedMs - this.#monotonic();
  }

  #cutOverdue(): void {
    while ((this.#untilOverdue() ?? 1) <= 0) this.#cut(this.#connections.unidentified.oldest()?.id);
    this.#report();
  }

  #penaltiesEnded(): void {
    this.#penalties.list();
    this.#report();
  }

  #report(): void {
    const { open, unidentified, bans, slowed } = this.#instruments;
    const { ban, slow } = this.#penalties.counts;
    open.set(this.identifiedConnections);
    unidentified.set(this.unidentifiedConnections);
    bans.set(ban);
    slowed.set(slow);
  }
}
