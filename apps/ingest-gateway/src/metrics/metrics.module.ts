import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { AgentsService } from '../agents/index.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { createControlGauges } from './control-gauges.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';

/** Metrics for Prometheus. */
@Module({
  imports: [AgentsModule, DataPlaneModule],
  controllers: [MetricsController],
  providers: [
    {
      provide: MetricsService,
      inject: [DEPENDENCIES, AgentsService, DataPlaneHost],
      useFactory: (
        { registry, metrics, clickhouse, store }: GatewayDependencies,
        agents: AgentsService,
        dataPlane: DataPlaneHost,
      ) =>
        new MetricsService(
          registry,
          dataPlane,
          createControlGauges(metrics, { agents, clickhouse, store, dataPlane }),
        ),
    },
  ],
})
export class MetricsModule {}
