import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { AjvPipe } from '../admin/http/ajv.pipe.js';
import type { DeadLetter } from '../clickhouse/types.js';
import {
  filterSchema,
  listSchema,
  parseFilter,
  parseList,
  type RawFilter,
  type RawListQuery,
} from './dead-letter-query.js';
import { DeadLettersService, type DeadLetterPage, type DeadLetterSummary } from './dead-letters.service.js';
import type { ReplayReport } from './replay-report.js';
import { parseReplay, replaySchema, type RawReplayRequest } from './replay-request.js';

const filterPipe = new AjvPipe<RawFilter>(filterSchema, 'query');

/** What was refused. */
@Controller('api/v1/dead-letters')
export class DeadLettersController {
  constructor(@Inject(DeadLettersService) private readonly service: DeadLettersService) {}

  /** Newest first, page by page. */
  @Get()
  list(@Query(new AjvPipe<RawListQuery>(listSchema, 'query')) query: RawListQuery): Promise<DeadLetterPage> {
    const { filter, limit, before } = parseList(query);
    return this.service.list(filter, limit, before);
  }

  /** How many, by code and stage. */
  @Get('summary')
  summary(@Query(filterPipe) query: RawFilter): Promise<DeadLetterSummary> {
    return this.service.summary(parseFilter(query));
  }

  /** All of them, oldest first, one JSON object a line. */
  @Get('export')
  async export(@Query(filterPipe) query: RawFilter): Promise<StreamableFile> {
    const stream = await this.service.export(parseFilter(query));
    return new StreamableFile(stream, {
      type: 'application/x-ndjson; charset=utf-8',
      disposition: 'attachment; filename="dead-letters.ndjson"',
    });
  }

  /** Sends them through their pipelines again. */
  @Post('replay')
  @HttpCode(200)
  replay(
    @Body(new AjvPipe<RawReplayRequest>(replaySchema, 'body')) body: RawReplayRequest,
  ): Promise<ReplayReport> {
    return this.service.replay(parseReplay(body));
  }

  /** One of them, whole. */
  @Get(':id')
  one(@Param('id') id: string): Promise<DeadLetter> {
    return this.service.one(id);
  }
}
