import { Module } from '@nestjs/common';
import { DEPENDENCIES, type GatewayDependencies } from '../dependencies.js';
import { SettingsService } from './settings.service.js';

/** The settings of the reference, from store, file and defaults. */
@Module({
  providers: [
    {
      provide: SettingsService,
      inject: [DEPENDENCIES],
      useFactory: ({ store, config, logger }: GatewayDependencies) =>
        SettingsService.load(store.settings, config.settings, logger.child({ component: 'settings' })),
    },
  ],
  exports: [SettingsService],
})
export class SettingsModule {}
