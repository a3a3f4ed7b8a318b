import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuditService } from '../audit/index.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { DeadLetterWatch } from './dead-letter-watch.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { DeadLettersService } from './dead-letters.service.js';

/** Dead letters: list, export, replay, and an eye on their size. */
@Module({
  imports: [DataPlaneModule, AuditModule],
  controllers: [DeadLettersController],
  providers: [
    {
      provide: DeadLettersService,
      inject: [DEPENDENCIES, DataPlaneHost, AuditService],
      useFactory: (
        { clickhouse, logger, metrics }: GatewayDependencies,
        dataPlane: DataPlaneHost,
        audit: AuditService,
      ) =>
        new DeadLettersService({
          store: clickhouse.deadLetters,
          dataPlane,
          audit,
          metrics,
          logger: logger.child({ component: 'dead-letters' }),
        }),
    },
    {
      provide: DeadLetterWatch,
      inject: [DEPENDENCIES],
      useFactory: ({ clickhouse, metrics, logger, config }: GatewayDependencies) =>
        new DeadLetterWatch({
          store: clickhouse.deadLetters,
          metrics,
          logger: logger.child({ component: 'dead-letters' }),
          limits: config.clickhouse.deadLetterAlert,
        }),
    },
  ],
  exports: [DeadLetterWatch],
})
export class DeadLettersModule {}
