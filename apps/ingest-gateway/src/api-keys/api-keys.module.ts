import { Module } from '@nestjs/common';
import { PARTS, type GatewayParts } from '../parts.js';
import { ApiKeysService } from './api-keys.service.js';

/** Keys for the REST API. */
@Module({
  providers: [
    {
      provide: ApiKeysService,
      inject: [PARTS],
      useFactory: ({ store, logger }: GatewayParts) =>
        new ApiKeysService(store.apiKeys, logger.child({ component: 'api-keys' })),
    },
  ],
  exports: [ApiKeysService],
})
export class ApiKeysModule {}
