import { Module } from '@nestjs/common';
import { AgentsService } from '../agents/index.js';
import { AgentsModule } from '../agents/agents.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuditService } from '../audit/index.js';
import { EnrollmentService } from '../enrollment/index.js';
import { EnrollmentModule } from '../enrollment/enrollment.module.js';
import { PARTS, type GatewayParts } from '../parts.js';
import { SettingsService } from '../settings/index.js';
import { SettingsModule } from '../settings/settings.module.js';
import { AddressMemory } from './address-memory.js';
import { DataPlaneHost } from './data-plane-host.js';
import { FlowLog } from './flow-log.js';

/** Listener and reactors, fed with settings, allowlist and endpoints. */
@Module({
  imports: [SettingsModule, AgentsModule, EnrollmentModule, AuditModule],
  providers: [
    {
      provide: DataPlaneHost,
      inject: [PARTS, SettingsService, AgentsService, EnrollmentService, AuditService],
      useFactory: (
        parts: GatewayParts,
        settings: SettingsService,
        agents: AgentsService,
        enrollment: EnrollmentService,
        audit: AuditService,
      ) =>
        new DataPlaneHost({
          create: parts.createDataPlane,
          facts: {
            metrics: parts.metrics,
            gatewayId: parts.identity.id,
            pipelines: parts.config.pipelines,
            log: parts.config.log,
            host: parts.config.listener.host,
            tls: parts.config.listener.tls,
            maxConnectionsPerKey: parts.config.listener.maxConnectionsPerKey,
            neverBan: parts.config.listener.neverBan,
            dataDir: parts.config.dataDir,
          },
          settings,
          agents,
          enrollment,
          audit,
          clickhouse: parts.clickhouse.endpoint,
          serverKey: {
            read: () => parts.store.installation.get('server_spki'),
            write: (spkiHash) => parts.store.installation.set('server_spki', spkiHash),
          },
          addresses: new AddressMemory({
            repository: parts.store.knownAddresses,
            agents: () => parts.store.agents.list(),
            logger: parts.logger.child({ component: 'listener' }),
          }),
          nextEpoch: () => parts.store.installation.increment('epoch'),
          waitingFor: () =>
            agents.loaded && settings.loaded
              ? undefined
              : `Agents and settings have not been read yet. ${parts.store.status().reason ?? ''}`.trim(),
          logger: parts.logger,
        }),
    },
    {
      provide: FlowLog,
      inject: [PARTS, DataPlaneHost, SettingsService],
      useFactory: (parts: GatewayParts, dataPlane: DataPlaneHost, settings: SettingsService) =>
        new FlowLog({
          listener: () => dataPlane.status(),
          clickhouse: () => parts.clickhouse.status(),
          batchIntervalMs: () => settings.snapshot.current.activitymonitor_batch_interval_seconds * 1_000,
          logger: parts.logger.child({ component: 'flow' }),
        }),
    },
  ],
  exports: [DataPlaneHost],
})
export class DataPlaneModule {}
