import type { PluginDefinition } from '@activity-gateway/pipeline/api';
import { doorParser } from './door.parser.js';
import { doorFileSink } from './door-file.sink.js';
import { doorLogSource } from './door-log.source.js';

/** What `plugins:` of gateway.yaml loads. */
export const plugins: readonly PluginDefinition[] = [doorLogSource, doorParser, doorFileSink];
