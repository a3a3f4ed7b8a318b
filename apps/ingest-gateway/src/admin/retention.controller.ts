import { Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { Doc } from '../openapi/doc.decorator.js';
import { FromCaller, type Caller } from './http/caller.js';
import {
  exampleRetentionChange,
  RetentionAdmin,
  retentionViewSchema,
  type RetentionView,
} from './retention-admin.service.js';

const tag = 'Retention';
const example = { changes: [exampleRetentionChange] };

/** How long ClickHouse keeps events and dead letters. */
@Controller('api/v1/retention')
export class RetentionController {
  constructor(@Inject(RetentionAdmin) private readonly retention: RetentionAdmin) {}

  /** What a shorter retention would delete. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List changes of the retention that wait',
    description:
      'A retention of the configuration that would delete rows is not applied before it is confirmed. The rows are counted now.',
    answer: { status: 200, description: 'The changes, by table.', schema: retentionViewSchema, example },
    errors: ['CLICKHOUSE_UNAVAILABLE'],
  })
  @Get()
  list(): Promise<RetentionView> {
    return this.retention.list();
  }

  /** Confirms them. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Apply the retention',
    description: 'Gives every table the configured retention. ClickHouse deletes the rows that are older.',
    answer: {
      status: 200,
      description: 'What was changed, with the rows that this deletes; nothing where nothing waited.',
      schema: retentionViewSchema,
      example,
    },
    errors: ['CLICKHOUSE_UNAVAILABLE', 'RETENTION_UNSAFE'],
  })
  @Post('apply')
  @HttpCode(200)
  apply(@FromCaller() caller: Caller): Promise<RetentionView> {
    return this.retention.apply(caller);
  }
}
