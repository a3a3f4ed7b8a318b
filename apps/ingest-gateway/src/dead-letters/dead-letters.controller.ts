import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { AjvPipe } from '../admin/http/ajv.pipe.js';
import { FromCaller, type Caller } from '../admin/http/caller.js';
import type { DeadLetter } from '../clickhouse/types.js';
import { Doc } from '../openapi/doc.decorator.js';
import {
  deadLetterExportSchema,
  deadLetterPageSchema,
  deadLetterSchema,
  deadLetterSummarySchema,
  exampleDeadLetter,
  exampleDeadLetterPage,
  exampleDeadLetterSummary,
} from './dead-letter.schema.js';
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
import { exampleReplayReport, exampleReplayRequest, replayReportSchema } from './replay.schema.js';

const tag = 'Dead letters';
const filterPipe = new AjvPipe<RawFilter>(filterSchema, 'query');

/** What was refused. */
@Controller('api/v1/dead-letters')
export class DeadLettersController {
  constructor(@Inject(DeadLettersService) private readonly service: DeadLettersService) {}

  /** Newest first, page by page. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'List dead letters',
    description: 'Newest first, page by page. Long messages are cut: each is whole under its id.',
    query: listSchema,
    answer: {
      status: 200,
      description: 'A page.',
      schema: deadLetterPageSchema,
      example: exampleDeadLetterPage,
    },
    errors: ['CLICKHOUSE_UNAVAILABLE'],
  })
  @Get()
  list(@Query(new AjvPipe<RawListQuery>(listSchema, 'query')) query: RawListQuery): Promise<DeadLetterPage> {
    const { filter, limit, before } = parseList(query);
    return this.service.list(filter, limit, before);
  }

  /** How many, by code and stage. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'Count dead letters',
    query: filterSchema,
    answer: {
      status: 200,
      description: 'Counts by code and stage, the most frequent first, and the size of all.',
      schema: deadLetterSummarySchema,
      example: exampleDeadLetterSummary,
    },
    errors: ['CLICKHOUSE_UNAVAILABLE'],
  })
  @Get('summary')
  summary(@Query(filterPipe) query: RawFilter): Promise<DeadLetterSummary> {
    return this.service.summary(parseFilter(query));
  }

  /** All of them, oldest first, one JSON object a line. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'Export dead letters',
    description:
      'All that the filter takes, oldest first and whole, one JSON object a line, sent while they are read.',
    query: filterSchema,
    answer: {
      status: 200,
      description: 'Newline-delimited JSON; empty when there are none.',
      mediaType: 'application/x-ndjson',
      schema: deadLetterExportSchema,
      example: `${JSON.stringify(exampleDeadLetter)}\n`,
    },
    errors: ['CLICKHOUSE_UNAVAILABLE'],
  })
  @Get('export')
  async export(@Query(filterPipe) query: RawFilter): Promise<StreamableFile> {
    const stream = await this.service.export(parseFilter(query));
    return new StreamableFile(stream, {
      type: 'application/x-ndjson; charset=utf-8',
      disposition: 'attachment; filename="dead-letters.ndjson"',
    });
  }

  /** Sends them through their pipelines again. */
  @Doc({
    tag,
    access: 'admin',
    summary: 'Replay dead letters',
    description:
      'Sends them through their pipelines again, oldest first, and marks those that are stored then. Without a body: all that were not replayed yet. What was stored is not stored again.',
    body: { required: false, schema: replaySchema, example: exampleReplayRequest },
    answer: {
      status: 200,
      description: 'What became of them; not all need have been stored.',
      schema: replayReportSchema,
      example: exampleReplayReport,
    },
    errors: ['REPLAY_RUNNING', 'REPLAY_UNAVAILABLE', 'CLICKHOUSE_UNAVAILABLE'],
  })
  @Post('replay')
  @HttpCode(200)
  replay(
    @FromCaller() caller: Caller,
    @Body(new AjvPipe<RawReplayRequest>(replaySchema, 'body')) body: RawReplayRequest,
  ): Promise<ReplayReport> {
    return this.service.replay(caller, parseReplay(body));
  }

  /** One of them, whole. */
  @Doc({
    tag,
    access: 'reader',
    summary: 'Show a dead letter',
    params: { id: { description: 'From the list of dead letters.', example: exampleDeadLetter.id } },
    answer: {
      status: 200,
      description: 'The dead letter, its message whole.',
      schema: deadLetterSchema,
      example: exampleDeadLetter,
    },
    errors: ['DEAD_LETTER_UNKNOWN', 'CLICKHOUSE_UNAVAILABLE'],
  })
  @Get(':id')
  one(@Param('id') id: string): Promise<DeadLetter> {
    return this.service.one(id);
  }
}
