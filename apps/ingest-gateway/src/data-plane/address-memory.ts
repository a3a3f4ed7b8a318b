import type { Logger } from '@activity-gateway/pipeline/api';
import type { KnownAddress } from '@activity-gateway/pipeline/host';
import { addressGroup, sleep } from '@activity-gateway/pipeline/helpers';
import { SerialQueue } from '../agents/index.js';
import type { DataPlane } from '../listener/types.js';
import type { KnownAddressRepository, StoredAgent } from '../store/index.js';

/** What a memory of addresses is made from. */
export interface AddressMemoryOptions {
  readonly repository: KnownAddressRepository;
  /**
   * Agents of the store: where no address is remembered, those that they enrolled from stand in. So an upgrade from a
   * version without this memory does not leave a fleet, which may stream for months, in the lobby.
   */
  readonly agents: () => Promise<readonly Pick<StoredAgent, 'sourceIp' | 'enrolledAt' | 'lastSeenAt'>[]>;
  readonly logger: Logger;
  /** How often new addresses are written, ms; 10 s by default. */
  readonly everyMs?: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now?: () => number;
}

/** How long an address is remembered, ms. */
const KEEP_MS = 86_400_000;
/** Addresses that are remembered; the admission holds as many. */
const MAX_ADDRESSES = 10_000;
/** An address that is remembered is written again when it was seen so much later, ms: agents stay connected for days. */
const RESOLUTION_MS = 3_600_000;
/** The same when the gateway stops, ms. */
const LAST_RESOLUTION_MS = 60_000;
const EVERY_MS = 10_000;
/** Every so many times what other gateways remember is read too. */
const READ_EVERY = 30;
/** How long a start waits for the store, ms. */
const FIRST_READ_MS = 2_000;

/**
 * Remembers over restarts, and between gateways that share a store, from which addresses agents came: so that a restart
 * does not send all of them through the lobby. A store that fails costs nothing else; it is tried again.
 */
export class AddressMemory {
  readonly #queue = new SerialQueue();
  #plane: Pick<DataPlane, 'knownAddresses' | 'learnAddresses'> | undefined;
  /** What the store has, as far as it is known here. */
  #stored = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #failing = false;

  constructor(private readonly options: AddressMemoryOptions) {}

  /** Tells a data plane what is remembered, and remembers from now on what it knows. Does not reject. */
  async follow(plane: Pick<DataPlane, 'knownAddresses' | 'learnAddresses'>): Promise<void> {
    this.#plane = plane;
    const { everyMs = EVERY_MS } = this.options;
    this.#timer = setInterval(() => void this.#queue.run(() => this.#next()), everyMs).unref();
    await Promise.race([this.#queue.run(() => this.#next()), sleep(FIRST_READ_MS)]);
  }

  /** Writes what is not written yet. Does not reject. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#queue.run(() => this.#try(() => this.#write(LAST_RESOLUTION_MS)));
  }

  async #next(): Promise<void> {
    const ok = await this.#try(async () => {
      if (this.#turn % READ_EVERY === 0) await this.#read();
      await this.#write(RESOLUTION_MS);
    });
    // What could not be read is read with the next turn.
    if (ok) this.#turn += 1;
  }

  async #read(): Promise<void> {
    const since = this.#now() - KEEP_MS;
    const stored = await this.options.repository.list();
    const addresses = stored.filter(({ at }) => at >= since);
    this.#stored = new Map(addresses.map(({ address, at }) => [address, at]));
    const learned = stored.length > 0 ? addresses : await this.#enrolledFrom(since);
    this.#plane?.learnAddresses(learned);
  }

  async #enrolledFrom(since: number): Promise<KnownAddress[]> {
    const agents = await this.options.agents();
    return agents
      .map(({ sourceIp, enrolledAt, lastSeenAt }) => ({ sourceIp, at: lastSeenAt ?? enrolledAt }))
      .filter(({ sourceIp, at }) => sourceIp !== '' && at >= since)
      .map(({ sourceIp, at }) => ({ address: addressGroup(sourceIp), at }));
  }

  async #write(resolutionMs: number): Promise<void> {
    const isNews = ({ address, at }: KnownAddress): boolean =>
      at - (this.#stored.get(address) ?? 0) > resolutionMs;
    const news = this.#plane?.knownAddresses().filter(isNews) ?? [];
    if (news.length === 0) return;
    const seen = new Map(news.map(({ address, at }) => [address, at]));
    await this.options.repository.note(seen);
    await this.options.repository.trim(this.#now() - KEEP_MS, MAX_ADDRESSES);
    for (const [address, at] of seen) this.#stored.set(address, at);
  }

  async #try(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      this.#failing = false;
      return true;
    } catch (error) {
      const { logger } = this.options;
      const message = 'Failed to remember the addresses of agents; retrying';
      if (this.#failing) logger.debug({ err: error }, message);
      else logger.warn({ err: error }, message);
      this.#failing = true;
      return false;
    }
  }

  #now(): number {
    return (this.options.now ?? Date.now)();
  }
}
