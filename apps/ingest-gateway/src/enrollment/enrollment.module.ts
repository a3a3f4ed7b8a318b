import { Module } from '@nestjs/common';
import { AgentsService } from '../agents/index.js';
import { AgentsModule } from '../agents/agents.module.js';
import { PARTS, type GatewayParts } from '../parts.js';
import { EnrollmentService } from './enrollment.service.js';

/** Tokens, and what agents do with them. */
@Module({
  imports: [AgentsModule],
  providers: [
    {
      provide: EnrollmentService,
      inject: [PARTS, AgentsService],
      useFactory: ({ store, logger }: GatewayParts, agents: AgentsService) =>
        new EnrollmentService(store.enrollmentTokens, agents, logger.child({ component: 'enrollment' })),
    },
  ],
  exports: [EnrollmentService],
})
export class EnrollmentModule {}
