import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuditService } from '../audit/index.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { PARTS, type GatewayParts } from '../parts.js';
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
      inject: [PARTS, DataPlaneHost, AuditService],
      useFactory: (
        { clickhouse, logger, metrics }: GatewayParts,
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
      inject: [PARTS],
      useFactory: ({ clickhouse, metrics, logger, config }: GatewayParts) =>
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
