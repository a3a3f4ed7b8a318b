import { Module } from '@nestjs/common';
import { AgentsService } from '../agents/index.js';
import { AgentsModule } from '../agents/agents.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { AuditService } from '../audit/index.js';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { EnrollmentLimits } from './enrollment-limits.js';
import { EnrollmentService } from './enrollment.service.js';
import { TokensService } from './tokens.service.js';

/** Tokens, and what agents do with them. */
@Module({
  imports: [AgentsModule, AuditModule],
  providers: [
    {
      provide: TokensService,
      inject: [DEPENDENCIES],
      useFactory: ({ store, logger }: GatewayDependencies) =>
        new TokensService(store.enrollmentTokens, logger.child({ component: 'enrollment' })),
    },
    {
      provide: EnrollmentService,
      inject: [DEPENDENCIES, AgentsService, AuditService],
      useFactory: ({ store, logger }: GatewayDependencies, agents: AgentsService, audit: AuditService) =>
        new EnrollmentService({
          tokens: store.enrollmentTokens,
          agents,
          audit,
          limits: new EnrollmentLimits(),
          logger: logger.child({ component: 'enrollment' }),
        }),
    },
  ],
  exports: [EnrollmentService, TokensService],
})
export class EnrollmentModule {}
