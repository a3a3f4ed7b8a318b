import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PipelineSpec, SpoolLocation } from '@activity-gateway/pipeline/host';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { SpoolAssignment } from './messages.js';

/** Where a pipeline's spool is. Warns of one that is switched off and not empty. */
export function spoolPlace(
  assignment: SpoolAssignment,
  { name, buffer }: Pick<PipelineSpec, 'name' | 'buffer'>,
  logger: Logger,
): SpoolLocation {
  const directory = join(assignment.directory, name, assignment.slot);
  if (buffer.spool?.enabled !== true && existsSync(directory)) {
    const text =
      'The spool is switched off, and what an earlier run has left in it is not written. Switch it on to have it written.';
    logger.warn({ pipeline: name, directory }, text);
  }
  return {
    directory,
    adopt: adoptedBy(name, assignment, assignment.adopt),
    share: assignment.share,
  };
}

/** The directories of those spools, as `<pipeline>/<slot>`, that belong to a pipeline. */
export function adoptedBy(
  pipeline: string,
  { directory }: Pick<SpoolAssignment, 'directory'>,
  spools: readonly string[],
): string[] {
  return spools.filter((spool) => spool.startsWith(`${pipeline}/`)).map((spool) => join(directory, spool));
}
