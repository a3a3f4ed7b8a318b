import type { AgentsService } from '../agents/index.js';
import type { AuditService } from '../audit/index.js';
import type { ClickHouseService } from '../clickhouse/types.js';
import type { DataPlaneHost } from '../data-plane/index.js';
import type { SettingsService } from '../settings/index.js';
import { toAgentView, type AddAgentBody, type AgentView } from './agent.view.js';
import type { Caller } from './http/caller.js';
import { toListenerView, toPipelineViews, type StatusView } from './status.view.js';

/** What the service is made from. */
export interface NamListenerParts {
  readonly gateway: StatusView['gateway'];
  readonly agents: AgentsService;
  readonly settings: SettingsService;
  readonly clickhouse: Pick<ClickHouseService, 'status'>;
  readonly dataPlane: Pick<DataPlaneHost, 'status' | 'connectedAgents'>;
  readonly audit: AuditService;
}

/** Agents and the listener as administrators see them: what the parts know, put together. */
export class NamListenerService {
  constructor(private readonly parts: NamListenerParts) {}

  /** By hostname. */
  async agents(): Promise<AgentView[]> {
    const connections = this.parts.dataPlane.connectedAgents();
    return (await this.parts.agents.list()).map((agent) => toAgentView(agent, connections));
  }

  /** @throws GatewayError `SPKI_HASH_INVALID` or `HOSTNAME_INVALID` */
  addAgent(caller: Caller, { spkiHash, hostname }: AddAgentBody): Promise<AgentView> {
    const { agents, audit, dataPlane } = this.parts;
    return audit.change(caller, 'agent.add', spkiHash, async (note) => {
      const before = await agents.find(spkiHash);
      const agent = await agents.add(spkiHash, hostname);
      note.target = agent.spkiHash;
      note.before = before && { hostname: before.hostname };
      note.after = { hostname: agent.hostname };
      return toAgentView(agent, dataPlane.connectedAgents());
    });
  }

  /** @throws GatewayError `SPKI_HASH_INVALID` or `AGENT_UNKNOWN` */
  removeAgent(caller: Caller, spkiHash: string): Promise<void> {
    const { agents, audit } = this.parts;
    return audit.change(caller, 'agent.remove', spkiHash, async (note) => {
      const before = await agents.find(spkiHash);
      if (before !== undefined) {
        const { hostname, sourceIp, enrolledAt } = toAgentView(before, new Map());
        note.target = before.spkiHash;
        note.before = { hostname, sourceIp, enrolledAt };
      }
      await agents.remove(spkiHash);
    });
  }

  /** All that operators ask for first. */
  status(): StatusView {
    const listener = this.parts.dataPlane.status();
    return {
      gateway: this.parts.gateway,
      listener: toListenerView(listener),
      pipelines: toPipelineViews(listener),
      clickhouse: this.parts.clickhouse.status(),
      settings: this.parts.settings.snapshot.current,
    };
  }
}
