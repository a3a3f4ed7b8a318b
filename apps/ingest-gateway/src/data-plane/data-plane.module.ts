import { Module } from '@nestjs/common';
import { AgentsService } from '../agents/index.js';
import { AgentsModule } from '../agents/agents.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuditService } from '../audit/index.js';
import { EnrollmentService } from '../enrollment/index.js';
import { EnrollmentModule } from '../enrollment/enrollment.module.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
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
      inject: [DEPENDENCIES, SettingsService, AgentsService, EnrollmentService, AuditService],
      useFactory: (
        dependencies: GatewayDependencies,
        settings: SettingsService,
        agents: AgentsService,
        enrollment: EnrollmentService,
        audit: AuditService,
      ) =>
        new DataPlaneHost({
          create: dependencies.createDataPlane,
          facts: {
            metrics: dependencies.metrics,
            gatewayId: dependencies.identity.id,
            plugins: dependencies.config.plugins,
            pipelines: dependencies.config.pipelines,
            log: dependencies.config.log,
            host: dependencies.config.listener.host,
            tls: dependencies.config.listener.tls,
            maxConnectionsPerKey: dependencies.config.listener.maxConnectionsPerKey,
            neverBan: dependencies.config.listener.neverBan,
            dataDir: dependencies.config.dataDir,
          },
          settings,
          agents,
          enrollment,
          audit,
          clickhouse: dependencies.clickhouse.endpoint,
          serverKey: {
            read: () => dependencies.store.installation.get('server_spki'),
            write: (spkiHash) => dependencies.store.installation.set('server_spki', spkiHash),
          },
          addresses: new AddressMemory({
            repository: dependencies.store.knownAddresses,
            agents: () => dependencies.store.agents.list(),
            logger: dependencies.logger.child({ component: 'listener' }),
          }),
          nextEpoch: () => dependencies.store.installation.increment('epoch'),
          waitingFor: () =>
            agents.loaded && settings.loaded
              ? undefined
              : `Agents and settings have not been read yet. ${dependencies.store.status().reason ?? ''}`.trim(),
          logger: dependencies.logger,
        }),
    },
    {
      provide: FlowLog,
      inject: [DEPENDENCIES, DataPlaneHost, SettingsService],
      useFactory: (dependencies: GatewayDependencies, dataPlane: DataPlaneHost, settings: SettingsService) =>
        new FlowLog({
          listener: () => dataPlane.status(),
          clickhouse: () => dependencies.clickhouse.status(),
          batchIntervalMs: () => settings.snapshot.current.activitymonitor_batch_interval_seconds * 1_000,
          logger: dependencies.logger.child({ component: 'flow' }),
        }),
    },
  ],
  exports: [DataPlaneHost],
})
export class DataPlaneModule {}
