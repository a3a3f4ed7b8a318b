import type { AgentRepository, StoredAgent } from '../repositories.js';
import type { Documents } from './documents.js';

/** The allowlist in the embedded store. */
export class EmbeddedAgentRepository implements AgentRepository {
  constructor(private readonly documents: Documents<StoredAgent>) {}

  async list(): Promise<StoredAgent[]> {
    return this.documents.values();
  }

  async get(spkiHash: string): Promise<StoredAgent | undefined> {
    return this.documents.get(spkiHash);
  }

  async upsert(agent: StoredAgent): Promise<void> {
    await this.documents.write((table) => {
      const known = table.get(agent.spkiHash);
      table.put(agent.spkiHash, { ...agent, lastSeenAt: agent.lastSeenAt ?? known?.lastSeenAt ?? null });
    });
  }

  async touch(seen: ReadonlyMap<string, number>): Promise<void> {
    if (seen.size === 0) return;
    await this.documents.write((table) => {
      for (const [spkiHash, at] of seen) {
        const agent = table.get(spkiHash);
        if (agent === undefined || (agent.lastSeenAt ?? -1) >= at) continue;
        table.put(spkiHash, { ...agent, lastSeenAt: at });
      }
    });
  }

  delete(spkiHash: string): Promise<boolean> {
    return this.documents.remove(spkiHash);
  }
}
