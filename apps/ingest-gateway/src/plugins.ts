import { PluginRegistry } from '@activity-gateway/pipeline/host';
import { plugins } from '../../../plugins/index.js';

/** The registry of this program: the only place that imports the plugins. */
export function createPluginRegistry(): PluginRegistry {
  return new PluginRegistry(plugins);
}
