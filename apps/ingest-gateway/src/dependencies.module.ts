import { Global, Module, type DynamicModule } from '@nestjs/common';
import {
  CLICKHOUSE,
  DEPENDENCIES,
  IDENTITY,
  LOGGER,
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
      { provide: LOGGER, useValue: dependencies.logger },
      { provide: STORE, useValue: dependencies.store },
      { provide: CLICKHOUSE, useValue: dependencies.clickhouse },
    ];
    return { module: DependenciesModule, providers, exports: providers };
  }
}
