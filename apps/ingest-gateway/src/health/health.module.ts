import { Module } from '@nestjs/common';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DeadLettersModule } from '../dead-letters/dead-letters.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';

/** Liveness and readiness. */
@Module({
  imports: [DataPlaneModule, DeadLettersModule],
  controllers: [HealthController],
  providers: [HealthService],
})
export class HealthModule {}
