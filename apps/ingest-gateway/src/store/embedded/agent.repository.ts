import type { AgentActivity, AgentRepository, StoredAgent } from '../repositories.js';
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
      table.put(agent.spkiHash, {
        ...known,
        ...agent,
        lastSeenAt: agent.lastSeenAt ?? known?.lastSeenAt ?? null,
      });
    });
  }

  async touch(
    seen: ReadonlyMap<string, number>,
    activity: ReadonlyMap<string, AgentActivity> = new Map(),
  ): Promise<void> {
    const keys = new Set([...seen.keys(), ...activity.keys()]);
    if (keys.size === 0) return;
    await this.documents.write((table) => {
      for (const key of keys) {
        const agent = table.get(key);
        if (agent !== undefined) table.put(key, touched(agent, seen.get(key), activity.get(key)));
      }
    });
  }

  delete(spkiHash: string): Promise<boolean> {
    return this.documents.remove(spkiHash);
  }
}

function touched(
  agent: StoredAgent,
  at: number | undefined,
  activity: AgentActivity | undefined,
): StoredAgent {
  const { lastSeenAt, eventsReceived = 0, bytesReceived = 0 } = agent;
  return {
    ...agent,
    lastSeenAt: at === undefined ? lastSeenAt : Math.max(at, lastSeenAt ?? at),
    ...(activity && {
      eventsReceived: eventsReceived + activity.events,
      bytesReceived: bytesReceived + activity.bytes,
      ...(activity.certificate && { certificate: activity.certificate }),
    }),
  };
}
