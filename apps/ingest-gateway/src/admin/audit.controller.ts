import { Controller, Get, Inject, Query } from '@nestjs/common';
import { AuditService } from '../audit/index.js';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import {
  auditQuerySchema,
  auditViewSchema,
  exampleAuditEntry,
  parseAuditQuery,
  toAuditView,
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
      'Every change and every enrollment, newest first, whether it succeeded or not. The newest 10,000 of each are kept.',
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
    return (await this.audit.list(parseAuditQuery(query))).map(toAuditView);
  }
}
