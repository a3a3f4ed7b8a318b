import { GatewayError, type AllowlistEntry, type LiveValue, type Logger } from '@app/pipeline/api';
import { createLiveValue, type WritableLiveValue } from '@app/pipeline/helpers';
import { readIfThere, type AgentRepository, type StoredAgent, type StoreSnapshot } from '../store/index.js';
import { parseHostname, parseSpkiHash } from './agent-identity.js';
import { LastSeen } from './last-seen.js';
import { SerialQueue } from './serial-queue.js';

/** The allowlist: who may stream. */
export class AgentsService implements StoreSnapshot {
  readonly #allowlist: WritableLiveValue<readonly AllowlistEntry[]>;
  readonly #changes = new SerialQueue();
  readonly #lastSeen: LastSeen;
  #loaded: boolean;

  private constructor(
    private readonly repository: AgentRepository,
    private readonly logger: Logger,
    private readonly now: () => number,
    agents: readonly StoredAgent[] | undefined,
  ) {
    this.#loaded = agents !== undefined;
    this.#allowlist = createLiveValue((agents ?? []).map(toEntry));
    this.#lastSeen = new LastSeen(repository, logger);
  }

  /** Reads the allowlist; one of a store that is not there yet is empty and not `loaded`. */
  static async load(repository: AgentRepository, logger: Logger, now = Date.now): Promise<AgentsService> {
    return new AgentsService(repository, logger, now, await readIfThere(() => repository.list()));
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  async reload(): Promise<void> {
    await this.#changes.run(async () => {
      const entries = (await this.repository.list()).map(toEntry);
      if (!sameEntries(entries, this.#allowlist.current)) this.#allowlist.set(entries);
      this.#loaded = true;
    });
  }

  /** The snapshot that reactors decide by; replaced, and told to subscribers, before a change resolves. */
  get allowlist(): LiveValue<readonly AllowlistEntry[]> {
    return this.#allowlist;
  }

  /** All agents by hostname, with the latest sight of each. */
  async list(): Promise<StoredAgent[]> {
    const agents = await this.repository.list();
    return agents
      .map((agent) => ({
        ...agent,
        lastSeenAt: latest(agent.lastSeenAt, this.#lastSeen.pending(agent.spkiHash)),
      }))
      .sort((a, b) => compare(a.hostname, b.hostname) || compare(a.spkiHash, b.spkiHash));
  }

  /** The agent with a key, in any case of its letters; `undefined` where there is none. */
  async find(spkiHash: string): Promise<StoredAgent | undefined> {
    return this.repository.get(parseSpkiHash(spkiHash));
  }

  /**
   * Adds an agent by hand, or renames the one with this key.
   * @throws GatewayError `SPKI_HASH_INVALID` or `HOSTNAME_INVALID`
   */
  async add(spkiHash: string, hostname: string): Promise<StoredAgent> {
    const key = parseSpkiHash(spkiHash);
    const name = parseHostname(hostname);
    const known = await this.repository.get(key);
    return this.enrolled({
      spkiHash: key,
      hostname: name,
      sourceIp: known?.sourceIp ?? '',
      enrolledAt: known?.enrolledAt ?? this.now(),
      lastSeenAt: known?.lastSeenAt ?? null,
      agentVersion: known?.agentVersion ?? null,
    });
  }

  /** Stores an agent whose right has been proved; when it resolves, subscribers have the new allowlist. */
  async enrolled(agent: StoredAgent): Promise<StoredAgent> {
    await this.#changes.run(async () => {
      await this.repository.upsert(agent);
      this.#allowlist.set([...this.#without(agent.spkiHash), toEntry(agent)]);
    });
    return agent;
  }

  /**
   * Takes an agent off the allowlist; its open connections are closed by the reactors.
   * @throws GatewayError `SPKI_HASH_INVALID`, or `AGENT_UNKNOWN` when there is none
   */
  async remove(spkiHash: string): Promise<void> {
    const key = parseSpkiHash(spkiHash);
    const existed = await this.#changes.run(async () => {
      const deleted = await this.repository.delete(key);
      this.#allowlist.set(this.#without(key));
      return deleted;
    });
    if (!existed) throw new GatewayError('AGENT_UNKNOWN', `No agent has the SPKI hash ${key}.`);
    this.logger.info({ spkiHash: key }, 'An agent was removed from the allowlist.');
  }

  /** Takes note that agents are there; written at most once a second. */
  seen(spkiHashes: readonly string[], at: number): void {
    this.#lastSeen.add(spkiHashes, at);
  }

  /** Writes out what is held back. To be called once nothing is seen any more. */
  async stop(): Promise<void> {
    await this.#changes.idle();
    await this.#lastSeen.stop();
  }

  #without(spkiHash: string): AllowlistEntry[] {
    return this.#allowlist.current.filter((entry) => entry.spkiHash !== spkiHash);
  }
}

function toEntry({ spkiHash, hostname }: StoredAgent): AllowlistEntry {
  return { spkiHash, hostname };
}

/** Whether two allowlists let in the same, in whatever order. */
function sameEntries(some: readonly AllowlistEntry[], others: readonly AllowlistEntry[]): boolean {
  const hostnames = new Map(others.map(({ spkiHash, hostname }) => [spkiHash, hostname]));
  return (
    some.length === others.length &&
    some.every(({ spkiHash, hostname }) => hostnames.get(spkiHash) === hostname)
  );
}

function latest(stored: number | null, pending: number | undefined): number | null {
  return pending === undefined ? stored : Math.max(pending, stored ?? 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
