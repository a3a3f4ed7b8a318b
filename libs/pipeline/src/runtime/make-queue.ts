import type { Logger } from '../api/index.js';
import type { BaseQueueOptions } from './base-queue.js';
import { MemoryQueue } from './memory-queue.js';
import type { PipelineMeter } from './meter.js';
import type { EntryQueue } from './queue.js';
import { SpoolQueue } from './spool-queue.js';
import { InstanceStatusTracker } from './status.js';
import type { PipelineOptions } from './types.js';

/** What the queue of a pipeline is made from. */
export interface QueueDependencies extends BaseQueueOptions {
  readonly pipeline: PipelineOptions;
  readonly meter: PipelineMeter;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Makes a pipeline's queue: on disk, with a board for its state, or in memory. Opens nothing. */
export function makeQueue({ pipeline, meter, logger, now, ...base }: QueueDependencies): {
  queue: EntryQueue;
  board: InstanceStatusTracker | undefined;
} {
  const { spec, spool: place } = pipeline;
  const { spool } = spec.buffer;
  if (place === undefined || spool?.enabled !== true) {
    return { queue: new MemoryQueue(base), board: undefined };
  }
  const board = new InstanceStatusTracker(`${spec.name}/spool`, 'spool', now);
  const { directory, adopt, share = 1, thread } = place;
  const { diskReserveBytes } = spool;
  const queue = new SpoolQueue({
    ...base,
    directory,
    adopt,
    limits: { maxBytes: Math.floor(spool.maxBytes * share), diskReserveBytes },
    logger: logger.child({ component: `${spec.name}/spool` }),
    ...(thread !== undefined && { thread }),
    onFlushed: (ms) => meter.flushed(ms),
    onChanged: () => report(queue, board, logger),
  });
  return { queue, board };
}

function report(queue: SpoolQueue, board: InstanceStatusTracker, logger: Logger): void {
  const reason = queue.problems.join(' ');
  const before = board.status().reason ?? '';
  board.reportOwn(reason === '' ? { state: 'ok' } : { state: 'degraded', reason });
  if (reason === before) return;
  if (reason === '') logger.info({}, 'Spool recovered');
  else logger.warn({ reason }, 'Spool degraded');
}
