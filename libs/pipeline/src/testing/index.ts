export {
  describePluginContract,
  describePluginList,
  type PluginContractOptions,
} from './contract/plugin-contract.js';
export { type ContractDestination, crashAtEachPoint } from './contract/recover-contract.js';
export * from './any-json.js';
export * from './golden-cases.js';
export * from './open-resources.js';
export * from './parse-line.js';
export * from './fake-plugins.js';
export * from './plain-record.js';
export { folderOfId, pluginFolder } from './plugin-files.js';
export * from './record-problems.js';
export * from './recording-logger.js';
export * from './recording-metrics.js';
export * from './sample-batch.js';
export * from './sample-record.js';
export * from './test-context.js';
export * from './test-services.js';
export * from './validate-options.js';
