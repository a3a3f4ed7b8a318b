import { Controller, Get, Header, Inject } from '@nestjs/common';
import { Doc } from '../openapi/doc.decorator.js';
import { MetricsService } from './metrics.service.js';

/** For Prometheus: no key is needed. */
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(MetricsService) private readonly metrics: MetricsService) {}

  /** Every metric of every process. */
  @Doc({
    tag: 'Metrics',
    access: 'open',
    unlimited: true,
    summary: 'Read all metrics',
    answer: {
      status: 200,
      description: 'Prometheus text format 0.0.4.',
      schema: { type: 'string' },
      example: '# HELP gateway_listener_up 1 while agents can connect, otherwise 0.',
      mediaType: 'text/plain',
    },
  })
  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): Promise<string> {
    return this.metrics.text();
  }
}
