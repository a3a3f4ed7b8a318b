import { Module } from '@nestjs/common';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { PARTS, type GatewayParts } from '../parts.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Liveness and readiness. */
@Module({
  imports: [DataPlaneModule],
  controllers: [HealthController],
  providers: [
    {
      provide: HealthService,
      inject: [PARTS, DataPlaneHost],
      useFactory: ({ store, clickhouse }: GatewayParts, dataPlane: DataPlaneHost) =>
        new HealthService(store, clickhouse, dataPlane),
    },
  ],
})
export class HealthModule {}
