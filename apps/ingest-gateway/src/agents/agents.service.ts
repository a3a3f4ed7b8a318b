import { GatewayError, type LiveValue, type Logger } from '@activity-gateway/pipeline/api';
import type { AgentReport, AllowlistEntry } from '@activity-gateway/activity';
import { createLiveValue, type WritableLiveValue } from '@activity-gateway/pipeline/helpers';
import {
  readIfThere,
  type AgentRepository,
  type RefusalRepository,
  type Store,
  type StoredAgent,
  type StoredRefusal,
  type StoreSnapshot,
} from '../store/index.js';
import { parseHostname, parseSpkiHash } from './agent-identity.js';
import { AgentTraffic, type AgentTotals } from './agent-traffic.js';
import { LastSeen } from './last-seen.js';
import { SerialQueue } from './serial-queue.js';

/** Longer than a token can live, ms: tokens made before a removal have ended by then. */
const KEEP_REFUSAL_MS = 8 * 24 * 3_600_000;
/** Others of one hostname that are named, at most. */
const MAX_OTHERS = 5;

/** The allowlist: who may stream, and which keys must not enroll. */
export class AgentsService implements StoreSnapshot {
  readonly #allowlist: WritableLiveValue<readonly AllowlistEntry[]>;
  readonly #changes = new SerialQueue();
  readonly #lastSeen: LastSeen;
  #loaded: boolean;

  private constructor(
    private readonly repository: AgentRepository,
    private readonly refusals: RefusalRepository,
    private readonly logger: Logger,
    private readonly now: () => number,
    agents: readonly StoredAgent[] | undefined,
    private readonly totals: AgentTraffic,
  ) {
    this.#loaded = agents !== undefined;
    this.#allowlist = createLiveValue((agents ?? []).map(toEntry));
    this.#lastSeen = new LastSeen(repository, logger);
  }

  /** Reads the allowlist; one of a store that is not there yet is empty and not `loaded`. */
  static async load(
    { agents, refusals, installation }: Pick<Store, 'agents' | 'refusals' | 'installation'>,
    logger: Logger,
    now = Date.now,
  ): Promise<AgentsService> {
    const totals = await AgentTraffic.load({ installation, logger });
    return new AgentsService(agents, refusals, logger, now, await readIfThere(() => agents.list()), totals);
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  async reload(): Promise<void> {
    await this.#changes.run(async () => {
      const entries = (await this.repository.list()).map(toEntry);
      if (!sameEntries(entries, this.#allowlist.current)) this.#allowlist.set(entries);
      this.#loaded = true;
      this.totals.keepOnly(new Set(entries.map(({ spkiHash }) => spkiHash)));
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
   * @throws GatewayError `SPKI_HASH_INVALID`, `HOSTNAME_INVALID`, or `AGENT_DENIED`
   */
  async add(spkiHash: string, hostname: string): Promise<StoredAgent> {
    const key = parseSpkiHash(spkiHash);
    const name = parseHostname(hostname);
    const known = await this.repository.get(key);
    const agent: StoredAgent = {
      spkiHash: key,
      hostname: name,
      sourceIp: known?.sourceIp ?? '',
      enrolledAt: known?.enrolledAt ?? this.now(),
      lastSeenAt: known?.lastSeenAt ?? null,
      agentVersion: known?.agentVersion ?? null,
    };
    if ((await this.enrolled(agent, ({ deniedAt }) => deniedAt ?? undefined)) !== undefined) {
      throw new GatewayError(
        'AGENT_DENIED',
        `The agent with the SPKI hash ${key} is denied.`,
        'POST /api/v1/nam-listener/agents/:spki_hash/allow ends that.',
      );
    }
    return agent;
  }

  /**
   * Stores an agent whose right has been proved, unless a refusal of its key stands against that; when it resolves,
   * subscribers have the new allowlist.
   * @param bars why a refusal stands against it; asked again when the agent is stored, because another gateway may have
   *   refused the key meanwhile
   * @returns what `bars` gave; `undefined` when the agent is stored
   */
  enrolled<Cause>(
    agent: StoredAgent,
    bars: (refusal: StoredRefusal) => Cause | undefined,
  ): Promise<Cause | undefined> {
    const { spkiHash } = agent;
    const barred = async (): Promise<{ cause?: Cause | undefined; refusal?: StoredRefusal }> => {
      const refusal = await this.refusals.get(spkiHash);
      return refusal === undefined ? {} : { refusal, cause: bars(refusal) };
    };
    return this.#changes.run(async () => {
      const before = await barred();
      if (before.cause !== undefined) return before.cause;
      await this.repository.upsert(agent);
      const { cause, refusal } = await barred();
      if (cause !== undefined) {
        await this.repository.delete(spkiHash);
        return cause;
      }
      if (refusal !== undefined) await this.refusals.delete(refusal);
      this.#allowlist.set([...this.#without(spkiHash), toEntry(agent)]);
      return undefined;
    });
  }

  /**
   * Takes an agent off the allowlist; its open connections are closed by the reactors. Only a token made afterwards
   * enrolls it again.
   * @throws GatewayError `SPKI_HASH_INVALID`, or `AGENT_UNKNOWN` when there is none
   */
  async remove(spkiHash: string): Promise<void> {
    const key = parseSpkiHash(spkiHash);
    const existed = await this.#refuse(key, null);
    if (!existed) throw new GatewayError('AGENT_UNKNOWN', `No agent has the SPKI hash ${key}.`);
    this.logger.info({ spkiHash: key }, 'Agent removed from the allowlist');
  }

  /**
   * Refuses a key, with whatever token, until `allow`; an agent that has it is removed.
   * @throws GatewayError `SPKI_HASH_INVALID`
   */
  async deny(spkiHash: string): Promise<StoredRefusal> {
    const key = parseSpkiHash(spkiHash);
    await this.#refuse(key, this.now());
    this.logger.warn({ spkiHash: key }, 'Key denied; no token enrolls it');
    return this.#refusalOf(key);
  }

  /**
   * Ends a denial. The agent is not enrolled by that: it needs a token.
   * @throws GatewayError `SPKI_HASH_INVALID`, or `AGENT_NOT_DENIED` when the key is not denied
   */
  async allow(spkiHash: string): Promise<void> {
    const key = parseSpkiHash(spkiHash);
    await this.#changes.run(async () => {
      const refusal = await this.refusals.get(key);
      if (refusal === undefined || refusal.deniedAt === null) {
        throw new GatewayError(
          'AGENT_NOT_DENIED',
          `The key ${key} is not denied.`,
          'GET /api/v1/nam-listener/denied-agents lists the denied ones.',
        );
      }
      await this.refusals.put({ ...refusal, deniedAt: null });
    });
    this.logger.info({ spkiHash: key }, 'Key allowed again; a new token enrolls it');
  }

  /** Keys that no token enrolls, by the time of their denial. */
  async denied(): Promise<StoredRefusal[]> {
    const refusals = await this.refusals.list();
    return refusals
      .filter(({ deniedAt }) => deniedAt !== null)
      .sort((a, b) => (a.deniedAt ?? 0) - (b.deniedAt ?? 0) || compare(a.spkiHash, b.spkiHash));
  }

  /** Why a key may not enroll with every token; `undefined` where it may. */
  refusal(spkiHash: string): Promise<StoredRefusal | undefined> {
    return this.refusals.get(spkiHash);
  }

  /** SPKI hashes of other agents with the same hostname, which is compared without case; a few of them. */
  othersNamed(hostname: string, spkiHash: string): string[] {
    const name = hostname.toLowerCase();
    return this.#allowlist.current
      .filter((entry) => entry.spkiHash !== spkiHash && entry.hostname.toLowerCase() === name)
      .slice(0, MAX_OTHERS)
      .map((entry) => entry.spkiHash);
  }

  /**
   * Takes note that agents are there, which is written at most once a second.
   * @param reports what came from each of them since the last time
   */
  seen(spkiHashes: readonly string[], at: number, reports: Readonly<Record<string, AgentReport>> = {}): void {
    this.#lastSeen.add(spkiHashes, at);
    for (const [spkiHash, report] of Object.entries(reports)) this.totals.add(spkiHash, report);
  }

  /** What came from an agent to this gateway since it was added. */
  traffic(spkiHash: string): AgentTotals {
    return this.totals.of(spkiHash);
  }

  /** Writes out what is held back. To be called once nothing is seen any more. */
  async stop(): Promise<void> {
    await this.#changes.idle();
    await this.#lastSeen.stop();
    await this.totals.stop();
  }

  /** Remembers the refusal before the agent goes: broken off in between, it is still there and can be removed again. */
  async #refuse(spkiHash: string, deniedAt: number | null): Promise<boolean> {
    return this.#changes.run(async () => {
      const agent = await this.repository.get(spkiHash);
      const before = await this.refusals.get(spkiHash);
      if (agent !== undefined || deniedAt !== null) {
        await this.refusals.put({
          spkiHash,
          hostname: agent?.hostname ?? before?.hostname ?? '',
          removedAt: agent === undefined ? (before?.removedAt ?? null) : this.now(),
          deniedAt: deniedAt ?? before?.deniedAt ?? null,
        });
      }
      const deleted = await this.repository.delete(spkiHash);
      this.#allowlist.set(this.#without(spkiHash));
      this.totals.forget(spkiHash);
      await this.#purgeRefusals();
      return deleted;
    });
  }

  /** A removed key needs no memory once every token of its time has ended. */
  async #purgeRefusals(): Promise<void> {
    const before = this.now() - KEEP_REFUSAL_MS;
    for (const refusal of await this.refusals.list()) {
      if (refusal.deniedAt === null && (refusal.removedAt ?? 0) < before) await this.refusals.delete(refusal);
    }
  }

  async #refusalOf(spkiHash: string): Promise<StoredRefusal> {
    const refusal = await this.refusals.get(spkiHash);
    return refusal ?? { spkiHash, hostname: '', removedAt: null, deniedAt: this.now() };
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
