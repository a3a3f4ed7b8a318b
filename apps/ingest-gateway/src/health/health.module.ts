import { Module } from '@nestjs/common';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { DeadLetterWatch } from '../dead-letters/dead-letter-watch.js';
import { DeadLettersModule } from '../dead-letters/dead-letters.module.js';
import { PARTS, type GatewayParts } from '../parts.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Liveness and readiness. */
@Module({
  imports: [DataPlaneModule, DeadLettersModule],
  controllers: [HealthController],
  providers: [
    {
      provide: HealthService,
      inject: [PARTS, DataPlaneHost, DeadLetterWatch],
      useFactory: (
        { store, clickhouse }: GatewayParts,
        dataPlane: DataPlaneHost,
        deadLetters: DeadLetterWatch,
      ) => new HealthService(store, clickhouse, dataPlane, deadLetters),
    },
  ],
})
export class HealthModule {}
