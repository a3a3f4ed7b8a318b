import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { PluginDefinition } from '../api/index.js';
import type { PluginRegistry } from '../registry/index.js';
import type { Evaluation } from './evaluate.js';
import type { LoadContext } from './load-context.js';
import { loadPipeline, type LoadedPipeline } from './load-pipeline.js';
import { isPattern, matchFiles } from './pipeline-files.js';
import { here, joinPointer } from './pointer.js';
import type { PipelineSpec } from './types.js';
import { displayPath, readYamlFile } from './yaml-file.js';

/** Loads every pipeline that `gateway.yaml` names; problems are reported. */
export function loadPipelines(
  paths: unknown,
  gateway: Evaluation,
  context: LoadContext,
): readonly PipelineSpec[] {
  if (paths === undefined) return [];
  const { files, complete } = findFiles(paths, gateway, context);
  if (files.length === 0) {
    if (complete) reportNone(gateway, context.cwd);
    return [];
  }
  const loaded = files.flatMap((path) => {
    const file = readYamlFile(path, context.cwd, context.problems);
    return file === undefined ? [] : [loadPipeline(file, context)];
  });
  checkUnique(loaded, context.registry);
  return loaded.flatMap(({ spec }) => (spec === undefined ? [] : [spec]));
}

interface FoundFiles {
  readonly files: readonly string[];
  /** Nothing of the list was unusable. */
  readonly complete: boolean;
}

function findFiles(paths: unknown, gateway: Evaluation, context: LoadContext): FoundFiles {
  const files = new Set<string>();
  const list: unknown[] = Array.isArray(paths) ? paths : [paths];
  let complete = true;
  list.forEach((path, index) => {
    const pointer = Array.isArray(paths) ? joinPointer('/pipelines', index) : '/pipelines';
    const found = typeof path === 'string' ? filesOf(path, pointer, gateway, context) : undefined;
    complete &&= found !== undefined;
    found?.forEach((file) => files.add(file));
  });
  return { files: [...files], complete };
}

function filesOf(
  path: string,
  pointer: string,
  gateway: Evaluation,
  { cwd }: LoadContext,
): readonly string[] | undefined {
  const base = dirname(gateway.file.path);
  const position = gateway.valuePosition(pointer);
  if (!isPattern(path)) {
    const file = resolve(base, path);
    if (existsSync(file)) return [file];
    gateway.report(position, {
      code: 'CONFIG_UNREADABLE',
      message: `${here(pointer)} names a file that is not there: ${displayPath(file, cwd)}.`,
      hint: 'Paths are relative to the file that names them.',
    });
    return undefined;
  }
  const files = matchFiles(path, base);
  if (files !== undefined) return files;
  gateway.report(position, {
    code: 'CONFIG_INVALID_VALUE',
    message: `${here(pointer)} has a wildcard in a directory.`,
    hint: 'Use * and ? in the last part only, or a list of patterns.',
  });
  return undefined;
}

function reportNone(gateway: Evaluation, cwd: string): void {
  const base = displayPath(dirname(gateway.file.path), cwd);
  gateway.report(gateway.valuePosition('/pipelines'), {
    code: 'CONFIG_NO_PIPELINE',
    message: `\`pipelines\` finds no file below ${base}.`,
    hint: 'Add a pipeline, such as pipelines/activity.yaml.',
  });
}

/** Reports names and exclusive sources that a pipeline before has taken. */
function checkUnique(pipelines: readonly LoadedPipeline[], registry: PluginRegistry): void {
  const names = new Map<string, LoadedPipeline>();
  const sources = new Map<string, LoadedPipeline>();
  for (const pipeline of pipelines) {
    const { name, sourceUse, evaluation } = pipeline;
    const sameName = name === undefined ? undefined : firstUse(names, name, pipeline);
    if (sameName !== undefined) {
      evaluation.report(evaluation.valuePosition('/name'), {
        code: 'CONFIG_DUPLICATE_NAME',
        message: `The pipeline in ${sameName.evaluation.file.name} has this \`name\` too.`,
        hint: 'Choose another name.',
      });
    }
    if (sourceUse === undefined || !isExclusive(registry.get(sourceUse))) continue;
    const sameSource = firstUse(sources, sourceUse, pipeline);
    if (sameSource !== undefined) {
      evaluation.report(evaluation.valuePosition('/source/use'), {
        code: 'CONFIG_SOURCE_TAKEN',
        message: `${sourceUse} is used by the pipeline in ${sameSource.evaluation.file.name} already.`,
        hint: 'The gateway has one listener: add the sinks to that pipeline.',
      });
    }
  }
}

function isExclusive(definition: PluginDefinition | undefined): boolean {
  return definition?.kind === 'source' && definition.exclusive === true;
}

/** The pipeline that used the name before, if any; else notes this one. */
function firstUse(
  used: Map<string, LoadedPipeline>,
  name: string,
  pipeline: LoadedPipeline,
): LoadedPipeline | undefined {
  const before = used.get(name);
  if (before === undefined) used.set(name, pipeline);
  return before;
}
