import { Module } from '@nestjs/common';
import { PARTS, type GatewayParts } from '../parts.js';
import { SettingsService } from './settings.service.js';

/** The settings of the reference, from store, file and defaults. */
@Module({
  providers: [
    {
      provide: SettingsService,
      inject: [PARTS],
      useFactory: ({ store, config, logger }: GatewayParts) =>
        SettingsService.load(store.settings, config.settings, logger.child({ component: 'settings' })),
    },
  ],
  exports: [SettingsService],
})
export class SettingsModule {}
