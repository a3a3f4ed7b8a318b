import type { Logger } from '@activity-gateway/pipeline/api';
import type { AgentReport } from '@activity-gateway/activity';
import type { InstallationRepository } from '../store/index.js';

/** What came from an agent to this gateway since the agent was added. */
export interface AgentTotals {
  /** Messages, refused ones included. */
  readonly events: number;
  /** Bytes. */
  readonly bytes: number;
  /** What its latest certificate says of itself. */
  readonly certificate: NonNullable<AgentReport['certificate']> | null;
}

/** What the totals are kept in. */
export interface AgentTrafficDependencies {
  /** Of this gateway alone: others that share its store have totals of their own. */
  readonly installation: Pick<InstallationRepository, 'get' | 'set'>;
  readonly logger: Logger;
}

const NONE: AgentTotals = { events: 0, bytes: 0, certificate: null };
const KEY = 'agent_totals';
/** What a gateway that is killed may forget, ms. */
const WRITE_EVERY_MS = 5_000;

/** Adds up what comes from agents, over restarts. */
export class AgentTraffic {
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #stopped = false;

  private constructor(
    private readonly dependencies: AgentTrafficDependencies,
    private readonly totals: Map<string, AgentTotals>,
  ) {}

  /** Reads the totals; what cannot be read begins anew, as nothing depends on it. */
  static async load(dependencies: AgentTrafficDependencies): Promise<AgentTraffic> {
    const totals = new Map<string, AgentTotals>();
    try {
      const text = await dependencies.installation.get(KEY);
      const stored = JSON.parse(text ?? '{}') as Record<string, AgentTotals>;
      for (const [spkiHash, value] of Object.entries(stored)) totals.set(spkiHash, { ...NONE, ...value });
    } catch (error) {
      dependencies.logger.warn({ err: error }, 'Failed to read the totals of agents; counting from zero');
    }
    return new AgentTraffic(dependencies, totals);
  }

  /** Adds a report. */
  add(spkiHash: string, { events, bytes, certificate }: AgentReport): void {
    const before = this.of(spkiHash);
    this.totals.set(spkiHash, {
      events: before.events + events,
      bytes: before.bytes + bytes,
      certificate: certificate ?? before.certificate,
    });
    this.#schedule();
  }

  /** What came from an agent so far. */
  of(spkiHash: string): AgentTotals {
    return this.totals.get(spkiHash) ?? NONE;
  }

  /** Forgets an agent. */
  forget(spkiHash: string): void {
    if (this.totals.delete(spkiHash)) this.#schedule();
  }

  /** Forgets all agents but these: another gateway may have removed some. */
  keepOnly(spkiHashes: ReadonlySet<string>): void {
    for (const spkiHash of this.totals.keys()) if (!spkiHashes.has(spkiHash)) this.forget(spkiHash);
  }

  /** Writes a last time. Does not reject. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== undefined) await this.#write();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_EVERY_MS).unref();
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { installation, logger } = this.dependencies;
    try {
      await installation.set(KEY, JSON.stringify(Object.fromEntries(this.totals)));
      this.#failing = false;
    } catch (error) {
      // A full disk lasts: one line tells of it.
      if (!this.#failing) logger.warn({ err: error }, 'Failed to store the totals of agents; retrying');
      this.#failing = true;
      this.#schedule();
    }
  }
}
