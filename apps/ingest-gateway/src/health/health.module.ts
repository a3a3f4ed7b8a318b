import { Module } from '@nestjs/common';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { DeadLetterWatch } from '../dead-letters/dead-letter-watch.js';
import { DeadLettersModule } from '../dead-letters/dead-letters.module.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Liveness and readiness. */
@Module({
  imports: [DataPlaneModule, DeadLettersModule],
  controllers: [HealthController],
  providers: [
    {
      provide: HealthService,
      inject: [DEPENDENCIES, DataPlaneHost, DeadLetterWatch],
      useFactory: (
        { store, clickhouse }: GatewayDependencies,
        dataPlane: DataPlaneHost,
        deadLetters: DeadLetterWatch,
      ) => new HealthService(store, clickhouse, dataPlane, deadLetters),
    },
  ],
})
export class HealthModule {}
