import type { JsonSchema, PluginKind } from '../api/index.js';
import { BYTE_SIZE_PATTERN } from './byte-size.js';

/** Names of pipelines and instances: they become parts of ids, metrics and file names. */
export const NAME_PATTERN = '^[a-z][a-z0-9]*([_-][a-z0-9]+)*$';

/** Raw bytes that a pipeline holds at once, unless its file says otherwise. */
export const DEFAULT_BUFFER_BYTES = 256 * 1024 * 1024;
/** Least room that a pipeline can work with, bytes. */
export const MIN_BUFFER_BYTES = 1024 * 1024;
/** Bytes of disk that what waits for the sinks may take, unless a pipeline's file says otherwise. */
export const DEFAULT_SPOOL_BYTES = 10 * 2 ** 30;
/** Least room of a spool, bytes: a few sink batches. */
export const MIN_SPOOL_BYTES = 64 * 2 ** 20;
/** Bytes of the file system that the spool leaves free, unless a pipeline's file says otherwise. */
export const DEFAULT_DISK_RESERVE_BYTES = 512 * 2 ** 20;
/** Least reserve, bytes: what making room needs. */
export const MIN_DISK_RESERVE_BYTES = 16 * 2 ** 20;

const name = (description: string): JsonSchema => ({
  type: 'string',
  pattern: NAME_PATTERN,
  maxLength: 64,
  description,
  examples: ['activity', 'file-copy'],
});

/** Schema of one use of a plugin; what `with` holds is the plugin's to say. */
export function stepSchema(kind: PluginKind): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: ['use'],
    properties: {
      use: { type: 'string', minLength: 1, description: `Id of a ${kind}, such as "${EXAMPLES[kind]}".` },
      name: name('Name inside the pipeline; the part of the id after the dot by default.'),
      with: { type: 'object', default: {}, description: "The plugin's own options; its README lists them." },
    },
    description: `One ${kind}: its id in \`use\`, its options in \`with\`.`,
  };
}

const EXAMPLES: Readonly<Record<PluginKind, string>> = {
  source: 'sources.nam_tls',
  parser: 'parsers.smb',
  sink: 'sinks.clickhouse',
};

const size = (minimum: number, byDefault: number, description: string): JsonSchema => ({
  type: ['integer', 'string'],
  minimum,
  pattern: BYTE_SIZE_PATTERN,
  default: byDefault,
  examples: ['10GiB'],
  description,
});

const spoolSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  properties: {
    enabled: {
      type: 'boolean',
      default: true,
      description:
        'Whether what waits for the sinks is kept on disk. Off: it is in memory, and lost when a reactor ends.',
    },
    max_bytes: size(
      MIN_SPOOL_BYTES,
      DEFAULT_SPOOL_BYTES,
      'Disk that what waits may take, over all reactors, a number or a size of at least 64MiB; reached = sources pause.',
    ),
    disk_reserve: size(
      MIN_DISK_RESERVE_BYTES,
      DEFAULT_DISK_RESERVE_BYTES,
      'Room of the file system that stays free, a number or a size of at least 16MiB; reached = sources pause.',
    ),
  },
  description: 'Queue on disk between the parsers and the sinks, in `data_dir`.',
};

/** What a pipeline's file may hold, before plugins look at their options. */
export const pipelineSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'source', 'sinks'],
  properties: {
    name: name('Name of the pipeline, different from all others; part of logs, metrics and status.'),
    source: { ...stepSchema('source'), description: 'Where events come from.' },
    steps: {
      type: 'array',
      items: stepSchema('parser'),
      default: [],
      description:
        'Parsers, in the order in which they see each batch; an event belongs to the first that claims it.',
    },
    sinks: {
      type: 'array',
      items: stepSchema('sink'),
      minItems: 1,
      description: 'Where records go: each sink gets all of them.',
    },
    dead_letters: {
      type: 'string',
      description: 'Name of the sink that takes rejected events; the first sink by default.',
    },
    buffer: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        max_bytes: {
          type: ['integer', 'string'],
          minimum: MIN_BUFFER_BYTES,
          pattern: BYTE_SIZE_PATTERN,
          default: DEFAULT_BUFFER_BYTES,
          examples: ['256MiB'],
          description:
            'Raw bytes held at once, a number or a size of at least 1MiB; reached = sources pause.',
        },
        spool: spoolSchema,
      },
      description: 'Room for events that are on their way: memory until they are safe, then the spool.',
    },
  },
};

/** One use of a plugin as a valid file says it. */
export interface StepValue {
  readonly use: string;
  readonly name?: string;
  with: Record<string, unknown>;
}

/** What `pipelineSchema` lets through. */
export interface PipelineValue {
  readonly name: string;
  readonly source: StepValue;
  readonly steps: readonly StepValue[];
  readonly sinks: readonly StepValue[];
  readonly dead_letters?: string;
  readonly buffer: {
    readonly max_bytes: number | string;
    readonly spool: {
      readonly enabled: boolean;
      readonly max_bytes: number | string;
      readonly disk_reserve: number | string;
    };
  };
}
