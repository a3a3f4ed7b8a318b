import { Inject, Injectable } from '@nestjs/common';
import { CLICKHOUSE, IDENTITY, type GatewayIdentity } from '../dependencies.js';
import { AgentsService } from '../agents/index.js';
import { AuditService } from '../audit/index.js';
import type { ClickHouseService } from '../clickhouse/types.js';
import { DataPlaneHost } from '../data-plane/index.js';
import type { StoredAgent } from '../store/index.js';
import { SettingsService } from '../settings/index.js';
import {
  toAgentView,
  toDeniedView,
  type AddAgentBody,
  type AgentView,
  type DeniedAgentView,
} from './agent.view.js';
import type { Caller } from './http/caller.js';
import { toListenerView, toPipelineViews, type StatusView } from './status.view.js';

/** Agents and the listener as administrators see them: what the parts know, put together. */
@Injectable()
export class NamListenerService {
  constructor(
    @Inject(IDENTITY) private readonly gateway: GatewayIdentity,
    @Inject(AgentsService) private readonly allowlist: AgentsService,
    @Inject(SettingsService) private readonly settings: SettingsService,
    @Inject(CLICKHOUSE) private readonly clickhouse: Pick<ClickHouseService, 'status'>,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'status' | 'connectedAgents'>,
    @Inject(AuditService) private readonly audit: AuditService,
  ) {}

  /** By hostname. */
  async agents(): Promise<AgentView[]> {
    return (await this.allowlist.list()).map((agent) => this.#view(agent));
  }

  /** @throws GatewayError `SPKI_HASH_INVALID`, `HOSTNAME_INVALID` or `AGENT_DENIED` */
  addAgent(caller: Caller, { spkiHash, hostname }: AddAgentBody): Promise<AgentView> {
    return this.audit.change(caller, 'agent.add', spkiHash, async (note) => {
      const before = await this.allowlist.find(spkiHash);
      const agent = await this.allowlist.add(spkiHash, hostname);
      note.target = agent.spkiHash;
      note.before = before && { hostname: before.hostname };
      note.after = { hostname: agent.hostname };
      return this.#view(agent);
    });
  }

  /** @throws GatewayError `SPKI_HASH_INVALID` or `AGENT_UNKNOWN` */
  removeAgent(caller: Caller, spkiHash: string): Promise<void> {
    return this.audit.change(caller, 'agent.remove', spkiHash, async (note) => {
      const before = await this.allowlist.find(spkiHash);
      if (before !== undefined) {
        const { hostname, sourceIp, enrolledAt } = this.#view(before);
        note.target = before.spkiHash;
        note.before = { hostname, sourceIp, enrolledAt };
      }
      await this.allowlist.remove(spkiHash);
    });
  }

  /** Keys that no token enrolls, by the time of their denial. */
  async deniedAgents(): Promise<DeniedAgentView[]> {
    return (await this.allowlist.denied()).map(toDeniedView);
  }

  /** Refuses a key with whatever token, and removes its agent. @throws GatewayError `SPKI_HASH_INVALID` */
  denyAgent(caller: Caller, spkiHash: string): Promise<DeniedAgentView> {
    return this.audit.change(caller, 'agent.deny', spkiHash, async (note) => {
      const before = await this.allowlist.find(spkiHash);
      const denied = toDeniedView(await this.allowlist.deny(spkiHash));
      note.target = denied.spkiHash;
      note.before = before && { hostname: before.hostname, sourceIp: before.sourceIp };
      note.after = { deniedAt: denied.deniedAt };
      return denied;
    });
  }

  /** Ends a denial. @throws GatewayError `SPKI_HASH_INVALID` or `AGENT_NOT_DENIED` */
  allowAgent(caller: Caller, spkiHash: string): Promise<void> {
    return this.audit.change(caller, 'agent.allow', spkiHash, async (note) => {
      await this.allowlist.allow(spkiHash);
      note.target = spkiHash.toLowerCase();
    });
  }

  /** All that operators ask for first. */
  status(): StatusView {
    const listener = this.dataPlane.status();
    return {
      pid: process.pid,
      gateway: this.gateway,
      listener: toListenerView(listener),
      pipelines: toPipelineViews(listener),
      clickhouse: this.clickhouse.status(),
      settings: this.settings.snapshot.current,
    };
  }

  #view(agent: StoredAgent): AgentView {
    const open = this.dataPlane.connectedAgents().get(agent.spkiHash) ?? 0;
    const others = this.allowlist.othersNamed(agent.hostname, agent.spkiHash);
    return toAgentView(agent, open, this.allowlist.traffic(agent.spkiHash), others);
  }
}
