import { Controller, Get, Inject, Query } from '@nestjs/common';
import type { ActivityEvent, ActivitySummary, ClickHouseService } from '../clickhouse/types.js';
import { listOf } from '../openapi/component.js';
import { Doc } from '../openapi/doc.decorator.js';
import { CLICKHOUSE, DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import {
  activityEventSchema,
  activitySummarySchema,
  exampleEvent,
  exampleSummary,
} from './activity.schema.js';
import { activityQuerySchema, parseActivityQuery, type RawActivityQuery } from './activity-query.js';
import { AjvPipe } from './http/ajv.pipe.js';

/** What is stored. */
@Controller('api/v1/activity')
export class ActivityController {
  constructor(
    @Inject(CLICKHOUSE) private readonly clickhouse: ClickHouseService,
    @Inject(DEPENDENCIES) private readonly dependencies: GatewayDependencies,
  ) {}

  /** Events, newest first. */
  @Doc({
    tag: 'Activity',
    access: 'reader',
    summary: 'Look at stored events',
    description: 'Newest first. For more than a look, ask ClickHouse itself.',
    query: activityQuerySchema,
    answer: {
      status: 200,
      description: 'Events, each with every column of its table.',
      schema: listOf(activityEventSchema),
      example: [exampleEvent],
    },
    errors: ['CLICKHOUSE_UNAVAILABLE'],
  })
  @Get('events')
  async events(
    @Query(new AjvPipe<RawActivityQuery>(activityQuerySchema, 'query')) query: RawActivityQuery,
  ): Promise<ActivityEvent[]> {
    return this.clickhouse.events(parseActivityQuery(query, this.dependencies.config.eventTypes));
  }

  /** Counts by type, dead letters included. */
  @Doc({
    tag: 'Activity',
    access: 'reader',
    summary: 'Count stored events',
    answer: {
      status: 200,
      description: 'Counts by type, and dead letters by code.',
      schema: activitySummarySchema,
      example: exampleSummary,
    },
    errors: ['CLICKHOUSE_UNAVAILABLE'],
  })
  @Get('summary')
  summary(): Promise<ActivitySummary> {
    return this.clickhouse.summary();
  }
}
