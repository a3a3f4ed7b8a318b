export { PluginRegistry } from './plugin-registry.js';
