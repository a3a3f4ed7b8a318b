export * from './types.js';
export { CONFIG_CODES, type ConfigCode } from './problems.js';
export { loadGatewayConfig, type LoadedConfig, type LoadOptions } from './load-gateway.js';
export type { PluginImports } from './load-context.js';
export { importListedPlugins } from './plugin-list.js';
export { validateFile, type ValidatedFile } from './validate-file.js';
export { effectiveRetention, MAX_RETENTION_DAYS } from './retention.js';
export { generateConfigSchemas, type ConfigSchemas } from './generate-schemas.js';
