import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { ActivityEvent, ActivitySummary, ClickHouseService } from '../clickhouse/types.js';
import { CLICKHOUSE } from '../parts.js';
import { activityQuerySchema, parseActivityQuery, type RawActivityQuery } from './activity-query.js';
import { AjvPipe } from './http/ajv.pipe.js';

/** What is stored. */
@Controller('api/v1/activity')
export class ActivityController {
  constructor(@Inject(CLICKHOUSE) private readonly clickhouse: ClickHouseService) {}

  /** Events, newest first. */
  @Get('events')
  async events(
    @Query(new AjvPipe<RawActivityQuery>(activityQuerySchema, 'query')) query: RawActivityQuery,
  ): Promise<ActivityEvent[]> {
    return this.clickhouse.events(parseActivityQuery(query));
  }

  /** Counts by type, dead letters included. */
  @Get('summary')
  summary(): Promise<ActivitySummary> {
    return this.clickhouse.summary();
  }
}
