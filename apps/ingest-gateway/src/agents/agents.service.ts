import { GatewayError, type AllowlistEntry, type LiveValue, type Logger } from '@app/pipeline/api';
import { createLiveValue, type WritableLiveValue } from '@app/pipeline/helpers';
import type { AgentActivity, AgentRepository, StoredAgent } from '../store/index.js';
import { addActivity } from './agent-activity.js';
import { parseHostname, parseSpkiHash } from './agent-identity.js';
import { LastSeen } from './last-seen.js';
import { SerialQueue } from './serial-queue.js';

/** The allowlist: who may stream. */
export class AgentsService {
  readonly #allowlist: WritableLiveValue<readonly AllowlistEntry[]>;
  readonly #changes = new SerialQueue();
  readonly #lastSeen: LastSeen;

  private constructor(
    private readonly repository: AgentRepository,
    private readonly logger: Logger,
    private readonly now: () => number,
    agents: readonly StoredAgent[],
  ) {
    this.#allowlist = createLiveValue(agents.map(toEntry));
    this.#lastSeen = new LastSeen(repository, logger);
  }

  /** Reads the allowlist. */
  static async load(repository: AgentRepository, logger: Logger, now = Date.now): Promise<AgentsService> {
    return new AgentsService(repository, logger, now, await repository.list());
  }

  /** The snapshot that reactors decide by; replaced, and told to subscribers, before a change resolves. */
  get allowlist(): LiveValue<readonly AllowlistEntry[]> {
    return this.#allowlist;
  }

  /** All agents by hostname, with the latest sight of each. */
  async list(): Promise<StoredAgent[]> {
    const agents = await this.repository.list();
    return agents
      .map((agent) => this.#withPending(agent))
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

  /**
   * Takes note that agents are there, and of what they did since; written at most once a second.
   * @param at milliseconds since 1970-01-01 UTC
   */
  seen(spkiHashes: readonly string[], at: number, activity?: ReadonlyMap<string, AgentActivity>): void {
    this.#lastSeen.add(spkiHashes, at, activity);
  }

  /** Writes out what is held back. To be called once nothing is seen any more. */
  async stop(): Promise<void> {
    await this.#changes.idle();
    await this.#lastSeen.flush();
  }

  #withPending(agent: StoredAgent): StoredAgent {
    const lastSeenAt = latest(agent.lastSeenAt, this.#lastSeen.pending(agent.spkiHash));
    const stored = { events: agent.eventsReceived ?? 0, bytes: agent.bytesReceived ?? 0 };
    const pending = this.#lastSeen.pendingActivity(agent.spkiHash);
    const { events, bytes } = pending === undefined ? stored : addActivity(stored, pending);
    const certificate = pending?.certificate ?? agent.certificate;
    return {
      ...agent,
      lastSeenAt,
      eventsReceived: events,
      bytesReceived: bytes,
      ...(certificate && { certificate }),
    };
  }

  #without(spkiHash: string): AllowlistEntry[] {
    return this.#allowlist.current.filter((entry) => entry.spkiHash !== spkiHash);
  }
}

function toEntry({ spkiHash, hostname }: StoredAgent): AllowlistEntry {
  return { spkiHash, hostname };
}

function latest(stored: number | null, pending: number | undefined): number | null {
  return pending === undefined ? stored : Math.max(pending, stored ?? 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
