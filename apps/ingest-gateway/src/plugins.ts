import { PluginRegistry } from '@app/pipeline/registry';
import { plugins } from '../../../plugins/index.js';

/** The registry of this program: the only place that imports the plugins. */
export function createPluginRegistry(): PluginRegistry {
  return new PluginRegistry(plugins);
}
