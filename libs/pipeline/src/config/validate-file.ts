import { isMap } from 'yaml';
import type { PluginRegistry } from '../registry/index.js';
import {
  createContext,
  loadGatewayFile,
  outcome,
  type LoadedConfig,
  type LoadOptions,
} from './load-gateway.js';
import { loadPipeline } from './load-pipeline.js';
import { readYamlFile, type YamlFile } from './yaml-file.js';

/** What was checked. */
export interface ValidatedFile extends LoadedConfig {
  readonly kind: 'gateway' | 'pipeline';
  /** Pipelines without a problem; 0 when there are problems. */
  readonly pipelines: number;
}

/**
 * Checks a file by what it holds: a pipeline alone (it has `source`, `steps` or `sinks`), else a `gateway.yaml` with
 * its pipelines. See `loadGatewayConfig`.
 */
export function validateFile(
  path: string,
  env: NodeJS.ProcessEnv,
  registry: PluginRegistry,
  options: LoadOptions,
): ValidatedFile {
  const context = createContext(env, registry, options);
  const file = readYamlFile(path, context.cwd, context.problems);
  if (file !== undefined && isPipeline(file)) {
    const { spec } = loadPipeline(file, context);
    return { ...outcome(context, undefined), kind: 'pipeline', pipelines: spec === undefined ? 0 : 1 };
  }
  const config = file && loadGatewayFile(file, context, options.settingsSchema);
  const result = outcome(context, config);
  return { ...result, kind: 'gateway', pipelines: result.config?.pipelines.length ?? 0 };
}

function isPipeline({ document }: YamlFile): boolean {
  const root = document.contents;
  return isMap(root) && ['source', 'steps', 'sinks'].some((key) => root.has(key));
}
