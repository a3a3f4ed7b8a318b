import { GatewayError } from '@app/pipeline/api';
import type { AgentsService } from '../agents/index.js';
import type { ClickHouseService } from '../clickhouse/types.js';
import type { DataPlaneHost } from '../data-plane/index.js';
import type { EnrollmentService } from '../enrollment/index.js';
import type { SettingsService } from '../settings/index.js';
import { toAgentView, type AddAgentBody, type AgentView } from './agent.view.js';
import { toListenerView, toPipelineViews, type StatusView } from './status.view.js';

/** What the service is made from. */
export interface NamListenerParts {
  readonly gateway: StatusView['gateway'];
  readonly agents: AgentsService;
  readonly enrollment: EnrollmentService;
  readonly settings: SettingsService;
  readonly clickhouse: Pick<ClickHouseService, 'status'>;
  readonly dataPlane: Pick<DataPlaneHost, 'status' | 'connectedAgents' | 'enabled'>;
}

/** A token as the API gives it, once. */
export interface EnrollmentTokenView {
  readonly token: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

/** The listener as administrators see it: what the parts know, put together. */
export class NamListenerService {
  constructor(private readonly parts: NamListenerParts) {}

  /** @throws GatewayError `INGESTION_DISABLED` or `LISTENER_NOT_READY`, because a token carries the server's key */
  async createToken(): Promise<EnrollmentTokenView> {
    const { token, expiresAt } = await this.parts.enrollment.createToken(this.#serverSpki());
    return { token, expiresAt: new Date(expiresAt).toISOString() };
  }

  /** By hostname. */
  async agents(): Promise<AgentView[]> {
    const connections = this.parts.dataPlane.connectedAgents();
    return (await this.parts.agents.list()).map((agent) => toAgentView(agent, connections));
  }

  /** @throws GatewayError `SPKI_HASH_INVALID` or `HOSTNAME_INVALID` */
  async addAgent({ spkiHash, hostname }: AddAgentBody): Promise<AgentView> {
    const agent = await this.parts.agents.add(spkiHash, hostname);
    return toAgentView(agent, this.parts.dataPlane.connectedAgents());
  }

  /** @throws GatewayError `SPKI_HASH_INVALID` or `AGENT_UNKNOWN` */
  removeAgent(spkiHash: string): Promise<void> {
    return this.parts.agents.remove(spkiHash);
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

  #serverSpki(): string {
    const { certificate, reason } = this.parts.dataPlane.status();
    if (!this.parts.dataPlane.enabled) {
      throw new GatewayError(
        'INGESTION_DISABLED',
        'No agent can enroll: enable_activitymonitor_ingestion is false.',
        'Set it to true first.',
      );
    }
    if (certificate !== undefined) return certificate.spkiHash;
    throw new GatewayError(
      'LISTENER_NOT_READY',
      `The listener has no server certificate${reason === undefined ? ' yet' : `: ${reason}`}`,
      'GET /api/v1/nam-listener/status says more.',
    );
  }
}
