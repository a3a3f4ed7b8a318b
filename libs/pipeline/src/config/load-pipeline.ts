import type { PluginKind } from '../api/index.js';
import { readBuffer, type DeepPartial } from './buffer-sizes.js';
import { checkValue } from './check.js';
import { Evaluation } from './evaluate.js';
import type { LoadContext } from './load-context.js';
import { nameHint } from './nearest.js';
import { pipelineSchema, type PipelineValue } from './pipeline-schema.js';
import { defaultName, readStep, type StepPlace } from './plugin-step.js';
import type { PipelineSpec, StepSpec } from './types.js';
import type { YamlFile } from './yaml-file.js';

/** A pipeline's file as far as it could be read. */
export interface LoadedPipeline {
  readonly evaluation: Evaluation;
  readonly name: string | undefined;
  /** Id of the source's plugin. */
  readonly sourceUse: string | undefined;
  /** Missing when the file has problems. */
  readonly spec: PipelineSpec | undefined;
}

/** Checks one pipeline's file; problems are reported. */
export function loadPipeline(file: YamlFile, context: LoadContext): LoadedPipeline {
  const before = context.problems.count;
  const evaluation = new Evaluation(file, context.env, context.problems);
  const value = evaluation.root([pipelineSchema]) ?? {};
  checkValue(value, pipelineSchema, evaluation, '', 'a pipeline');
  const places = stepPlaces(value);
  const steps = places.map((place) => readStep(place, evaluation, context));
  checkNames(places, evaluation);
  checkDeadLetters(value, places, evaluation);
  const buffer = readBuffer((value as DeepPartial<PipelineValue>).buffer, evaluation);
  warnWithoutParsers(value, evaluation, context);
  const { name, source } = value as DeepPartial<PipelineValue>;
  return {
    evaluation,
    name: asText(name),
    sourceUse: asText(source?.use),
    spec:
      context.problems.count === before
        ? toSpec(value as PipelineValue, steps.filter(isStep), places, buffer)
        : undefined,
  };
}

const isStep = (step: StepSpec | undefined): step is StepSpec => step !== undefined;
const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function stepPlaces(value: unknown): StepPlace[] {
  const { source, steps, sinks } = value as Record<string, unknown>;
  return [
    ...placesOf([source], () => '/source', 'source'),
    ...placesOf(steps, (index) => `/steps/${index}`, 'parser'),
    ...placesOf(sinks, (index) => `/sinks/${index}`, 'sink'),
  ];
}

function placesOf(list: unknown, pointer: (index: number) => string, kind: PluginKind): StepPlace[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((value: unknown, index) =>
    typeof value === 'object' && value !== null ? [{ pointer: pointer(index), kind, value: value }] : [],
  );
}

function nameOf({ value }: StepPlace): string | undefined {
  const use = asText(value.use);
  return asText(value.name) ?? (use === undefined ? undefined : defaultName(use));
}

/** Reports names that are used twice, at the second use. */
function checkNames(places: readonly StepPlace[], evaluation: Evaluation): void {
  const taken = new Map<string, StepPlace>();
  for (const place of places) {
    const name = nameOf(place);
    if (name === undefined) continue;
    const first = taken.get(name);
    if (first === undefined) {
      taken.set(name, place);
      continue;
    }
    const key = typeof place.value.name === 'string' ? 'name' : 'use';
    const { line } = evaluation.valuePosition(`${first.pointer}/use`);
    evaluation.report(evaluation.valuePosition(`${place.pointer}/${key}`), {
      code: 'CONFIG_DUPLICATE_NAME',
      message: `The name "${shown(place, key, name, evaluation)}" is used already by the ${first.kind} in line ${line}.`,
      hint: key === 'use' ? 'Give one of the two a `name` of its own.' : 'Choose another name.',
    });
  }
}

function shown(place: StepPlace, key: string, name: string, evaluation: Evaluation): string {
  return evaluation.note(`${place.pointer}/${key}`)?.shown ?? name;
}

function checkDeadLetters(value: unknown, places: readonly StepPlace[], evaluation: Evaluation): void {
  const name = asText((value as Record<string, unknown>).dead_letters);
  if (name === undefined) return;
  const names = places.flatMap((place) => (place.kind === 'sink' ? [nameOf(place) ?? ''] : []));
  if (names.length === 0 || names.includes(name)) return;
  const hint = nameHint(name, names, 'Sinks of this pipeline');
  evaluation.report(evaluation.valuePosition('/dead_letters'), {
    code: 'CONFIG_UNKNOWN_SINK',
    message: `\`dead_letters\` names "${evaluation.note('/dead_letters')?.shown ?? name}", and this pipeline has no such sink.`,
    ...(hint !== undefined && { hint }),
  });
}

function warnWithoutParsers(value: unknown, evaluation: Evaluation, { warnings }: LoadContext): void {
  const { steps } = value as Record<string, unknown>;
  if (!Array.isArray(steps) || steps.length > 0) return;
  warnings.add(evaluation.file.name, evaluation.keyPosition('/steps'), {
    code: 'CONFIG_NO_PARSER',
    message: 'The pipeline has no parser: every event becomes a dead letter.',
    hint: 'Add parsers to `steps`.',
  });
}

function toSpec(
  value: PipelineValue,
  steps: readonly StepSpec[],
  places: readonly StepPlace[],
  buffer: PipelineSpec['buffer'],
): PipelineSpec | undefined {
  const ofKind = (kind: PluginKind): StepSpec[] => steps.filter((_, index) => places[index]?.kind === kind);
  const [source] = ofKind('source');
  const sinks = ofKind('sink');
  const [firstSink] = sinks;
  if (source === undefined || firstSink === undefined) return undefined;
  return {
    name: value.name,
    source,
    steps: ofKind('parser'),
    sinks,
    deadLetters: value.dead_letters ?? firstSink.name,
    buffer,
  };
}
