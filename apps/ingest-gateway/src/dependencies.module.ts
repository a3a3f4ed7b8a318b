import { Global, Module, type DynamicModule } from '@nestjs/common';
import {
  CLICKHOUSE,
  CONFIG,
  DEPENDENCIES,
  IDENTITY,
  LOGGER,
  METRICS,
  REGISTRY,
  STORE,
  type GatewayDependencies,
} from './dependencies.js';

/** Gives every module what was opened before them. */
@Global()
@Module({})
export class DependenciesModule {
  static register(dependencies: GatewayDependencies): DynamicModule {
    const providers = [
      { provide: DEPENDENCIES, useValue: dependencies },
      { provide: IDENTITY, useValue: dependencies.identity },
      { provide: CONFIG, useValue: dependencies.config },
      { provide: METRICS, useValue: dependencies.metrics },
      { provide: REGISTRY, useValue: dependencies.registry },
      { provide: LOGGER, useValue: dependencies.logger },
      { provide: STORE, useValue: dependencies.store },
      { provide: CLICKHOUSE, useValue: dependencies.clickhouse },
    ];
    return { module: DependenciesModule, providers, exports: providers };
  }
}
