import { Module, type DynamicModule } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { AgentsModule } from './agents/agents.module.js';
import { DataPlaneModule } from './data-plane/data-plane.module.js';
import { DeadLettersModule } from './dead-letters/dead-letters.module.js';
import { EnrollmentModule } from './enrollment/enrollment.module.js';
import { HealthModule } from './health/health.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { DependenciesModule } from './dependencies.module.js';
import type { GatewayDependencies } from './dependencies.js';
import { SettingsModule } from './settings/settings.module.js';

/** The control plane. */
@Module({})
export class AppModule {
  /** The control plane over what was opened before it: store, ClickHouse, logger, configuration. */
  static register(dependencies: GatewayDependencies): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DependenciesModule.register(dependencies),
        SettingsModule,
        AgentsModule,
        EnrollmentModule,
        DataPlaneModule,
        AdminModule,
        DeadLettersModule,
        HealthModule,
        MetricsModule,
        OpenApiModule,
      ],
    };
  }
}
