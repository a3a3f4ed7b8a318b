import { parseByteSize } from './byte-size.js';
import type { Evaluation } from './evaluate.js';
import {
  MIN_BUFFER_BYTES,
  MIN_DISK_RESERVE_BYTES,
  MIN_SPOOL_BYTES,
  type PipelineValue,
} from './pipeline-schema.js';
import type { PipelineSpec } from './types.js';

/** What a value of the file may look like before it has passed its schema. */
export type DeepPartial<T> = T extends object
  ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> | null }
  : T;

/** Reads `buffer`; sizes that are too small, which a schema cannot see in a text, are reported. */
export function readBuffer(
  value: DeepPartial<PipelineValue['buffer']> | null | undefined,
  evaluation: Evaluation,
): PipelineSpec['buffer'] {
  const { spool } = value ?? {};
  const size = (path: string, given: unknown, least: number): number =>
    readSize(path, given, least, evaluation);
  return {
    maxBytes: size('max_bytes', value?.max_bytes, MIN_BUFFER_BYTES),
    spool: {
      enabled: spool?.enabled === true,
      maxBytes: size('spool.max_bytes', spool?.max_bytes, MIN_SPOOL_BYTES),
      diskReserveBytes: size('spool.disk_reserve', spool?.disk_reserve, MIN_DISK_RESERVE_BYTES),
    },
  };
}

function readSize(path: string, given: unknown, least: number, evaluation: Evaluation): number {
  const bytes = typeof given === 'string' ? parseByteSize(given) : undefined;
  if (bytes === undefined || (bytes >= least && Number.isSafeInteger(bytes))) return bytes ?? Number(given);
  const pointer = `/buffer/${path.replace('.', '/')}`;
  const shown = evaluation.note(pointer)?.shown ?? given;
  evaluation.report(evaluation.valuePosition(pointer), {
    code: 'CONFIG_OUT_OF_RANGE',
    message: `\`buffer.${path}\` must be a size of at least ${least / 2 ** 20}MiB, not ${JSON.stringify(shown)}.`,
    hint: 'Write a number of bytes, or a size such as 256MiB.',
  });
  return bytes;
}
