import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { ControlGauges } from './control-gauges.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsService } from './metrics.service.js';

/** Metrics for Prometheus. */
@Module({
  imports: [AgentsModule, DataPlaneModule],
  controllers: [MetricsController],
  providers: [ControlGauges, MetricsService],
})
export class MetricsModule {}
