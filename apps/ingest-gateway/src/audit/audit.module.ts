import { Module } from '@nestjs/common';
import { PARTS, type GatewayParts } from '../parts.js';
import { AuditService } from './audit.service.js';

/** The audit trail. */
@Module({
  providers: [
    {
      provide: AuditService,
      inject: [PARTS],
      useFactory: ({ store, logger }: GatewayParts) =>
        new AuditService(store.audit, logger.child({ component: 'audit' })),
    },
  ],
  exports: [AuditService],
})
export class AuditModule {}
