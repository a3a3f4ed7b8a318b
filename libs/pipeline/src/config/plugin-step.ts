import type { PluginDefinition, PluginKind } from '../api/index.js';
import { checkValue } from './check.js';
import type { Evaluation } from './evaluate.js';
import type { LoadContext } from './load-context.js';
import { nameHint } from './nearest.js';
import { here, joinPointer } from './pointer.js';
import { applyEventAge } from './retention.js';
import type { StepValue } from './pipeline-schema.js';
import type { StepSpec } from './types.js';

/** A place in a pipeline that takes plugins of one kind. */
export interface StepPlace {
  readonly pointer: string;
  readonly kind: PluginKind;
  /** As far as it can be read. */
  readonly value: Partial<StepValue>;
}

/** Looks a step's plugin up and checks its options; problems are reported, with places inside the pipeline's file. */
export function readStep(
  place: StepPlace,
  evaluation: Evaluation,
  context: LoadContext,
): StepSpec | undefined {
  const { use, name } = place.value;
  if (typeof use !== 'string') return undefined;
  const definition = findPlugin(use, place, evaluation, context);
  if (definition === undefined) return undefined;
  warnOfDeprecation(definition, place, evaluation, context);
  const options = readOptions(definition, place, evaluation);
  if (options === undefined) return undefined;
  applyEventAge(definition, options, place.pointer, evaluation, context);
  return { name: typeof name === 'string' ? name : defaultName(use), use, with: options };
}

/** The part of a plugin id after the dot. */
export function defaultName(use: string): string {
  return use.slice(use.indexOf('.') + 1);
}

function readOptions(
  definition: PluginDefinition,
  place: StepPlace,
  evaluation: Evaluation,
): Record<string, unknown> | undefined {
  const pointer = joinPointer(place.pointer, 'with');
  const note = evaluation.note(pointer);
  const schema = definition.configSchema;
  const value = note === undefined ? {} : (evaluation.value(note.node, [schema], pointer, note.key) ?? {});
  return checkValue(value, schema, evaluation, pointer, `the plugin ${definition.id}`)
    ? (value as Record<string, unknown>)
    : undefined;
}

function findPlugin(
  use: string,
  { pointer, kind }: StepPlace,
  evaluation: Evaluation,
  { registry }: LoadContext,
): PluginDefinition | undefined {
  const usePointer = joinPointer(pointer, 'use');
  const position = evaluation.valuePosition(usePointer);
  const definition = registry.get(use);
  const shown = `"${evaluation.note(usePointer)?.shown ?? use}"`;
  const ids = registry.ids(kind);
  const known = `Known ${kind}s`;
  if (definition === undefined) {
    const hint = nameHint(use, ids, known);
    evaluation.report(position, {
      code: 'CONFIG_UNKNOWN_PLUGIN',
      message: `${here(usePointer)} names ${shown}, and there is no such plugin.`,
      ...(hint !== undefined && { hint }),
    });
    return undefined;
  }
  if (definition.kind === kind) {
    if (!('instances' in definition) || definition.instances === 'each-reactor') return definition;
    evaluation.report(position, {
      code: 'CONFIG_SOURCE_INSTANCES',
      message: `${here(usePointer)} names ${shown}, which must not run in every reactor (instances: ${definition.instances}); this version cannot run it otherwise.`,
      hint: 'Use a source that runs in each reactor.',
    });
    return undefined;
  }
  evaluation.report(position, {
    code: 'CONFIG_WRONG_PLUGIN_KIND',
    message: `${here(usePointer)} names ${shown}, a ${definition.kind}, where a ${kind} belongs.`,
    hint: `${known}: ${ids.join(', ')}.`,
  });
  return undefined;
}

function warnOfDeprecation(
  definition: PluginDefinition,
  { pointer }: StepPlace,
  evaluation: Evaluation,
  { warnings }: LoadContext,
): void {
  if (definition.stability !== 'deprecated') return;
  const usePointer = joinPointer(pointer, 'use');
  warnings.add(evaluation.file.name, evaluation.valuePosition(usePointer), {
    code: 'CONFIG_PLUGIN_DEPRECATED',
    message: `${here(usePointer)} names ${definition.id}, which will be removed in a later version.`,
    hint: 'Its README says what takes its place.',
  });
}
