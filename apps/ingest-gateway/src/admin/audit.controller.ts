import { Controller, Get, Inject, Query } from '@nestjs/common';
import { AuditService } from '../audit/index.js';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import {
  auditQuerySchema,
  auditViewSchema,
  exampleAuditEntry,
  parseAuditQuery,
  mergeAuditViews,
  toAuditView,
  toRejectionView,
  type AuditView,
  type RawAuditQuery,
} from './audit.view.js';
import { AjvPipe } from './http/ajv.pipe.js';

/** Who changed what, and who enrolled. */
@Controller('api/v1/audit')
export class AuditController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  /** Newest first. */
  @Doc({
    tag: 'Audit trail',
    access: 'reader',
    summary: 'Read the audit trail',
    description:
      'Every change and every enrollment, and what was rejected: changes, enrollments, requests without a key or without the right role, and bans. The newest 10,000 changes and 10,000 enrollments are kept. What was rejected for one cause from one address is counted together for a day (UTC), in a set of its own of 2,000, and pushes out nothing that was done.',
    query: auditQuerySchema,
    answer: {
      status: 200,
      description: 'The entries.',
      schema: listOf(auditViewSchema),
      example: [exampleAuditEntry],
    },
  })
  @Get()
  async list(
    @Query(new AjvPipe<RawAuditQuery>(auditQuerySchema, 'query')) query: RawAuditQuery,
  ): Promise<AuditView[]> {
    const parsed = parseAuditQuery(query);
    const done = query.outcome === 'rejected' ? [] : await this.audit.list(parsed);
    const rejected = query.outcome === 'ok' ? [] : await this.audit.listRejections(parsed);
    return mergeAuditViews(done.map(toAuditView), rejected.map(toRejectionView), parsed.limit);
  }
}
