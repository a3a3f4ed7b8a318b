export { importPlugins, withPackages, type ImportedPackage, type PluginPackage } from './import-plugins.js';
export { PluginRegistry } from './plugin-registry.js';
export { requiredServices } from './required-services.js';
