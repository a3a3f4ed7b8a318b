import { Module } from '@nestjs/common';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { ApiKeysService } from './api-keys.service.js';

/** Keys for the REST API. */
@Module({
  providers: [
    {
      provide: ApiKeysService,
      inject: [DEPENDENCIES],
      useFactory: ({ store, logger }: GatewayDependencies) =>
        new ApiKeysService(store.apiKeys, logger.child({ component: 'api-keys' })),
    },
  ],
  exports: [ApiKeysService],
})
export class ApiKeysModule {}
