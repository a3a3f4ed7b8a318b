import { API_VERSION, GatewayError, type PluginDefinition } from '../api/index.js';
import { locateModule } from './locate-module.js';
import { PluginRegistry } from './plugin-registry.js';

/** Where plugins that do not ship with the program come from. Plain data: it crosses process borders. */
export interface PluginPackage {
  /** As the configuration names it. */
  readonly specifier: string;
  /** Name and version of the npm package. */
  readonly name: string;
  readonly version: string;
  /** URL of the module that exports `plugins`. */
  readonly url: string;
  /** Ids of its plugins. */
  readonly plugins: readonly string[];
}

/** A package with its plugins, which no registry has checked yet. */
export interface ImportedPackage extends PluginPackage {
  readonly definitions: readonly PluginDefinition[];
}

const EXPORT_HINT = 'A plugin package exports `plugins`, a list of what `definePlugin` returns.';

/**
 * Imports a package or a module that exports `plugins`; its code runs.
 * @param files as for `locateModule`
 * @throws GatewayError `PLUGIN_NOT_FOUND`, `PLUGIN_INVALID`, `PLUGIN_API_VERSION`; the message continues a sentence
 *   that begins with the package
 */
export async function importPlugins(specifier: string, files: readonly string[]): Promise<ImportedPackage> {
  const located = locate(specifier, files);
  const definitions = definitionsOf(await importModule(located.url));
  return { specifier, ...located, plugins: definitions.map(({ id }) => id), definitions };
}

/**
 * A registry with the plugins of packages added, imported into this process.
 * @throws GatewayError as `importPlugins`, and as `PluginRegistry` does
 */
export async function withPackages(
  registry: PluginRegistry,
  packages: readonly PluginPackage[],
): Promise<PluginRegistry> {
  if (packages.length === 0) return registry;
  const imported = await Promise.all(packages.map(reimport));
  return new PluginRegistry([...registry.list(), ...imported.flat()]);
}

async function reimport({ url, name }: PluginPackage): Promise<readonly PluginDefinition[]> {
  try {
    return definitionsOf(await importModule(url));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new GatewayError(error.code, `The plugin package ${name} ${error.message}`, error.hint, {
      cause: error,
    });
  }
}

function locate(specifier: string, files: readonly string[]): NonNullable<ReturnType<typeof locateModule>> {
  let located;
  try {
    located = locateModule(specifier, files);
  } catch (error) {
    throw invalid(`cannot be resolved: ${messageOf(error)}`, EXPORT_HINT, error);
  }
  if (located !== undefined) return located;
  throw new GatewayError(
    'PLUGIN_NOT_FOUND',
    'is not installed.',
    'Install the package beside this file or with the program, or give a path relative to this file.',
  );
}

async function importModule(url: string): Promise<object> {
  try {
    return (await import(url)) as object;
  } catch (error) {
    throw invalid(`cannot be imported: ${messageOf(error)}`, 'Fix the package, or ask its author.', error);
  }
}

/** @throws GatewayError as `importPlugins` */
function definitionsOf(module: object): readonly PluginDefinition[] {
  const { plugins, default: commonJs } = module as { plugins?: unknown; default?: { plugins?: unknown } };
  const list = plugins ?? commonJs?.plugins;
  if (!Array.isArray(list) || list.length === 0) throw invalid('exports no plugins.', EXPORT_HINT);
  for (const each of list as unknown[]) checkDefinition(each);
  return list as readonly PluginDefinition[];
}

/** Only what the program reads of a definition; TypeScript has told its author the rest. */
function checkDefinition(definition: unknown): void {
  const { id, apiVersion, ...rest } = Object(definition) as Partial<PluginDefinition>;
  if (typeof id !== 'string') throw invalid('exports a plugin without an id.', EXPORT_HINT);
  if (apiVersion !== API_VERSION) {
    throw new GatewayError(
      'PLUGIN_API_VERSION',
      `has ${id} for version ${String(apiVersion)} of the plugin API; this program has version ${API_VERSION}.`,
      'Install a version of the package for this version of the API.',
    );
  }
  const problem = shapeProblem(rest);
  if (problem !== undefined) throw invalid(`has ${id} ${problem}.`, EXPORT_HINT);
}

function shapeProblem({
  kind,
  configSchema,
  create,
  ...rest
}: Partial<PluginDefinition>): string | undefined {
  if (typeof kind !== 'string') return 'without a kind';
  if (typeof configSchema !== 'object') return 'without a configSchema';
  if (typeof create !== 'function') return 'without create()';
  const { eventTypes, instances } = rest as { eventTypes?: unknown; instances?: unknown };
  if (kind === 'source' && typeof instances !== 'string') return 'without instances';
  return kind === 'parser' && !Array.isArray(eventTypes) ? 'without eventTypes' : undefined;
}

function invalid(message: string, hint: string, cause?: unknown): GatewayError {
  return new GatewayError('PLUGIN_INVALID', message, hint, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
