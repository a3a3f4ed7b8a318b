import { Module } from '@nestjs/common';
import { PARTS, type GatewayParts } from '../parts.js';
import { AgentsService } from './agents.service.js';

/** The allowlist. */
@Module({
  providers: [
    {
      provide: AgentsService,
      inject: [PARTS],
      useFactory: ({ store, logger }: GatewayParts) =>
        AgentsService.load(store, logger.child({ component: 'agents' })),
    },
  ],
  exports: [AgentsService],
})
export class AgentsModule {}
