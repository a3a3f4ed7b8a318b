import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { AgentsService } from '../agents/index.js';
import { DataPlaneModule } from '../data-plane/data-plane.module.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { EnrollmentModule } from '../enrollment/enrollment.module.js';
import { EnrollmentService } from '../enrollment/index.js';
import { PARTS, type GatewayParts } from '../parts.js';
import { SettingsModule } from '../settings/settings.module.js';
import { SettingsService } from '../settings/index.js';
import { ActivityController } from './activity.controller.js';
import { NamListenerController } from './nam-listener.controller.js';
import { NamListenerService } from './nam-listener.service.js';
import { SettingsAdmin } from './settings-admin.service.js';
import { FeatureFlagsController, SettingsController } from './settings.controller.js';

/** The REST API for administrators. */
@Module({
  imports: [SettingsModule, AgentsModule, EnrollmentModule, DataPlaneModule],
  controllers: [NamListenerController, ActivityController, SettingsController, FeatureFlagsController],
  providers: [
    {
      provide: NamListenerService,
      inject: [PARTS, SettingsService, AgentsService, EnrollmentService, DataPlaneHost],
      useFactory: (
        parts: GatewayParts,
        settings: SettingsService,
        agents: AgentsService,
        enrollment: EnrollmentService,
        dataPlane: DataPlaneHost,
      ) =>
        new NamListenerService({
          gateway: parts.identity,
          clickhouse: parts.clickhouse,
          settings,
          agents,
          enrollment,
          dataPlane,
        }),
    },
    {
      provide: SettingsAdmin,
      inject: [SettingsService, DataPlaneHost],
      useFactory: (settings: SettingsService, dataPlane: DataPlaneHost) =>
        new SettingsAdmin(settings, dataPlane),
    },
  ],
})
export class AdminModule {}
