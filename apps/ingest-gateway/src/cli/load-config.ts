import { resolve } from 'node:path';
import { importListedPlugins, loadGatewayConfig, type GatewayConfig } from '@activity-gateway/pipeline/host';
import { GATEWAY_ENTRY } from '../entry-points.js';
import { createPluginRegistry } from '../plugins.js';
import { settingsSchema } from '../settings/settings-schema.js';
import { resolveConfigPath } from './config-path.js';
import { printProblems, printWarnings } from './print-problems.js';

/**
 * Reads the configuration of a command, imports the packages in its `plugins:`, and prints what is wrong.
 * @param file as given; by default where `resolveConfigPath` finds one
 * @returns `undefined` when there are problems
 */
export async function loadConfig(file: string | undefined): Promise<GatewayConfig | undefined> {
  const { env } = process;
  const path = file === undefined ? resolveConfigPath(env, process.cwd()) : resolve(file);
  const plugins = await importListedPlugins(path, env, { program: GATEWAY_ENTRY });
  const loaded = loadGatewayConfig(path, env, createPluginRegistry(), { settingsSchema, plugins });
  const write = (text: string): void => void process.stderr.write(text);
  printWarnings(loaded.warnings, write);
  printProblems(loaded.problems, write);
  return loaded.config;
}
