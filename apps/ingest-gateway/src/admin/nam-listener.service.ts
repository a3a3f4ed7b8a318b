import type { AgentsService } from '../agents/index.js';
import type { AuditService } from '../audit/index.js';
import type { ClickHouseService } from '../clickhouse/types.js';
import type { DataPlaneHost } from '../data-plane/index.js';
import type { StoredAgent } from '../store/index.js';
import type { SettingsService } from '../settings/index.js';
import {
  toAgentView,
  toDeniedView,
  type AddAgentBody,
  type AgentView,
  type DeniedAgentView,
} from './agent.view.js';
import type { Caller } from './http/caller.js';
import { toListenerView, toPipelineViews, type StatusView } from './status.view.js';

/** What the service is made from. */
export interface NamListenerDependencies {
  readonly gateway: StatusView['gateway'];
  readonly agents: AgentsService;
  readonly settings: SettingsService;
  readonly clickhouse: Pick<ClickHouseService, 'status'>;
  readonly dataPlane: Pick<DataPlaneHost, 'status' | 'connectedAgents'>;
  readonly audit: AuditService;
}

/** Agents and the listener as administrators see them: what the parts know, put together. */
export class NamListenerService {
  constructor(private readonly dependencies: NamListenerDependencies) {}

  /** By hostname. */
  async agents(): Promise<AgentView[]> {
    return (await this.dependencies.agents.list()).map((agent) => this.#view(agent));
  }

  /** @throws GatewayError `SPKI_HASH_INVALID`, `HOSTNAME_INVALID` or `AGENT_DENIED` */
  addAgent(caller: Caller, { spkiHash, hostname }: AddAgentBody): Promise<AgentView> {
    const { agents, audit } = this.dependencies;
    return audit.change(caller, 'agent.add', spkiHash, async (note) => {
      const before = await agents.find(spkiHash);
      const agent = await agents.add(spkiHash, hostname);
      note.target = agent.spkiHash;
      note.before = before && { hostname: before.hostname };
      note.after = { hostname: agent.hostname };
      return this.#view(agent);
    });
  }

  /** @throws GatewayError `SPKI_HASH_INVALID` or `AGENT_UNKNOWN` */
  removeAgent(caller: Caller, spkiHash: string): Promise<void> {
    const { agents, audit } = this.dependencies;
    return audit.change(caller, 'agent.remove', spkiHash, async (note) => {
      const before = await agents.find(spkiHash);
      if (before !== undefined) {
        const { hostname, sourceIp, enrolledAt } = this.#view(before);
        note.target = before.spkiHash;
        note.before = { hostname, sourceIp, enrolledAt };
      }
      await agents.remove(spkiHash);
    });
  }

  /** Keys that no token enrolls, by the time of their denial. */
  async deniedAgents(): Promise<DeniedAgentView[]> {
    return (await this.dependencies.agents.denied()).map(toDeniedView);
  }

  /** Refuses a key with whatever token, and removes its agent. @throws GatewayError `SPKI_HASH_INVALID` */
  denyAgent(caller: Caller, spkiHash: string): Promise<DeniedAgentView> {
    const { agents, audit } = this.dependencies;
    return audit.change(caller, 'agent.deny', spkiHash, async (note) => {
      const before = await agents.find(spkiHash);
      const denied = toDeniedView(await agents.deny(spkiHash));
      note.target = denied.spkiHash;
      note.before = before && { hostname: before.hostname, sourceIp: before.sourceIp };
      note.after = { deniedAt: denied.deniedAt };
      return denied;
    });
  }

  /** Ends a denial. @throws GatewayError `SPKI_HASH_INVALID` or `AGENT_NOT_DENIED` */
  allowAgent(caller: Caller, spkiHash: string): Promise<void> {
    const { agents, audit } = this.dependencies;
    return audit.change(caller, 'agent.allow', spkiHash, async (note) => {
      await agents.allow(spkiHash);
      note.target = spkiHash.toLowerCase();
    });
  }

  /** All that operators ask for first. */
  status(): StatusView {
    const listener = this.dependencies.dataPlane.status();
    return {
      pid: process.pid,
      gateway: this.dependencies.gateway,
      listener: toListenerView(listener),
      pipelines: toPipelineViews(listener),
      clickhouse: this.dependencies.clickhouse.status(),
      settings: this.dependencies.settings.snapshot.current,
    };
  }

  #view(agent: StoredAgent): AgentView {
    const { agents, dataPlane } = this.dependencies;
    const open = dataPlane.connectedAgents().get(agent.spkiHash) ?? 0;
    const others = agents.othersNamed(agent.hostname, agent.spkiHash);
    return toAgentView(agent, open, agents.traffic(agent.spkiHash), others);
  }
}
