import { Module } from '@nestjs/common';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { AuditService } from './audit.service.js';

/** The audit trail. */
@Module({
  providers: [
    {
      provide: AuditService,
      inject: [DEPENDENCIES],
      useFactory: ({ store, logger }: GatewayDependencies) =>
        new AuditService(store.audit, logger.child({ component: 'audit' })),
    },
  ],
  exports: [AuditService],
})
export class AuditModule {}
