import { Module } from '@nestjs/common';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { AgentsService } from './agents.service.js';

/** The allowlist. */
@Module({
  providers: [
    {
      provide: AgentsService,
      inject: [DEPENDENCIES],
      useFactory: ({ store, logger }: GatewayDependencies) =>
        AgentsService.load(store, logger.child({ component: 'agents' })),
    },
  ],
  exports: [AgentsService],
})
export class AgentsModule {}
