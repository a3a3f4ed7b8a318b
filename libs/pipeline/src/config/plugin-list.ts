import { GatewayError } from '../api/index.js';
import {
  importPlugins,
  PluginRegistry,
  type ImportedPackage,
  type PluginPackage,
} from '../registry/index.js';
import { Evaluation } from './evaluate.js';
import { PLUGINS_SCHEMA } from './gateway-schema.js';
import type { LoadContext, PluginImports } from './load-context.js';
import { here, joinPointer } from './pointer.js';
import { ProblemList } from './problems.js';
import { readYamlFile } from './yaml-file.js';

/**
 * Imports the packages that `plugins:` of a `gateway.yaml` lists; their code runs. To import waits, and to check a file
 * does not: `LoadOptions.plugins` takes the result, and problems are reported by the check. Empty when there is no
 * list.
 * @param path    of the file
 * @param program a file of the program: packages that are not found from `path` are looked for from it
 */
export async function importListedPlugins(
  path: string,
  env: NodeJS.ProcessEnv,
  { cwd = process.cwd(), program }: { readonly cwd?: string; readonly program: string },
): Promise<PluginImports> {
  const reportedLater = new ProblemList();
  const file = readYamlFile(path, cwd, reportedLater);
  if (file === undefined) return new Map();
  const schema = { type: 'object', properties: { plugins: PLUGINS_SCHEMA } };
  const value = new Evaluation(file, env, reportedLater).root([schema]);
  const imports = new Map<string, ImportedPackage | GatewayError>();
  for (const specifier of namesIn((Object(value) as { plugins?: unknown }).plugins)) {
    imports.set(specifier, await importOrError(specifier, [file.path, program]));
  }
  return imports;
}

async function importOrError(
  specifier: string,
  files: readonly string[],
): Promise<ImportedPackage | GatewayError> {
  try {
    return await importPlugins(specifier, files);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

function namesIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : [];
}

/** Adds the plugins of the listed packages to the registry of a load; what cannot be used is reported. */
export function addPlugins(
  list: unknown,
  evaluation: Evaluation,
  { registry: shipped, plugins: imports }: LoadContext,
): { readonly registry: PluginRegistry; readonly packages: readonly PluginPackage[] } {
  let registry = shipped;
  const packages: PluginPackage[] = [];
  namesIn(list).forEach((specifier, index) => {
    const pointer = joinPointer('/plugins', index);
    const shown = evaluation.note(pointer)?.shown ?? specifier;
    try {
      const imported = imports.get(specifier);
      if (imported === undefined) throw new GatewayError('PLUGIN_NOT_FOUND', 'was not imported.');
      if (imported instanceof GatewayError) throw imported;
      const { definitions, ...origin } = imported;
      registry = new PluginRegistry([...registry.list(), ...definitions]);
      packages.push(origin);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { code, message, hint } = error;
      const said = /^(PLUGIN_ID|EVENT_TYPE)_/.test(code) ? `cannot be used: ${message}` : message;
      evaluation.report(evaluation.valuePosition(pointer), {
        code: code as `PLUGIN_${string}`,
        message: `${here(pointer)}: the package "${shown}" ${said}`,
        ...(hint !== undefined && { hint }),
      });
    }
  });
  return { registry, packages };
}
