import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Doc } from '../openapi/doc.decorator.js';
import { exampleReadiness, livenessSchema, readinessSchema } from './health.schema.js';
import { HealthService, type Readiness } from './health.service.js';

/** For orchestrators and balancers: no key is needed. */
@Controller('health')
export class HealthController {
  constructor(@Inject(HealthService) private readonly health: HealthService) {}

  /** 200 as long as the process answers. */
  @Doc({
    tag: 'Health',
    access: 'open',
    unlimited: true,
    summary: 'Ask whether the process lives',
    answer: {
      status: 200,
      description: 'It does.',
      schema: livenessSchema,
      example: { status: 'ok' },
    },
  })
  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** 503 when agents cannot be served. */
  @Doc({
    tag: 'Health',
    access: 'open',
    unlimited: true,
    summary: 'Ask whether agents can be served',
    answer: {
      status: 200,
      description: 'They can; "degraded" says that something needs a person or time.',
      schema: readinessSchema,
      example: exampleReadiness,
    },
    otherAnswers: [
      {
        status: 503,
        description:
          'They cannot ("failed"; the components say why), or ingestion is switched off ("disabled").',
        schema: readinessSchema,
      },
    ],
  })
  @Get('ready')
  ready(@Res({ passthrough: true }) reply: FastifyReply): Readiness {
    const readiness = this.health.readiness();
    void reply.code(readiness.status === 'failed' || readiness.status === 'disabled' ? 503 : 200);
    return readiness;
  }
}
