import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { AuditModule } from '../audit/audit.module.js';
import { EnrollmentLimits } from './enrollment-limits.js';
import { EnrollmentService } from './enrollment.service.js';
import { TokensService } from './tokens.service.js';

/** Tokens, and what agents do with them. */
@Module({
  imports: [AgentsModule, AuditModule],
  providers: [TokensService, EnrollmentLimits, EnrollmentService],
  exports: [EnrollmentService, TokensService],
})
export class EnrollmentModule {}
