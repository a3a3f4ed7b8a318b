import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CLICKHOUSE, LOGGER, PARTS, STORE, type GatewayParts } from './parts.js';

/** Gives every module what was opened before them. */
@Global()
@Module({})
export class PartsModule {
  static register(parts: GatewayParts): DynamicModule {
    const providers = [
      { provide: PARTS, useValue: parts },
      { provide: LOGGER, useValue: parts.logger },
      { provide: STORE, useValue: parts.store },
      { provide: CLICKHOUSE, useValue: parts.clickhouse },
    ];
    return { module: PartsModule, providers, exports: providers };
  }
}
