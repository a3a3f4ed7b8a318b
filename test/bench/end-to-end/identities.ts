import { loadOrCreateIdentity, type AgentIdentity } from '@activity-gateway/agent';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Key pairs of the benchmark's agents, made when they are first asked for. */
export class Identities {
  readonly #made: Promise<AgentIdentity>[] = [];

  private constructor(private readonly home: string) {}

  /** Keeps them in a temporary folder until `dispose`. */
  static async open(): Promise<Identities> {
    return new Identities(await mkdtemp(join(tmpdir(), 'gateway-bench-agents-')));
  }

  /** The first so many; the same ones each time. */
  take(count: number): Promise<AgentIdentity[]> {
    for (let i = this.#made.length; i < count; i += 1) {
      this.#made.push(loadOrCreateIdentity(join(this.home, String(i)), agentName(i)));
    }
    return Promise.all(this.#made.slice(0, count));
  }

  /** Removes the folder. */
  async dispose(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}

/** Host name of an agent by its place. */
export function agentName(index: number): string {
  return `BENCH-${String(index + 1).padStart(3, '0')}`;
}
