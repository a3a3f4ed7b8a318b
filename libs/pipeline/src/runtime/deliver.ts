import type { Logger, RejectedRow, Services, Sink } from '../api/index.js';
import { Backoff, sleep } from '../helpers/index.js';
import { BatchWriter } from './batch-writer.js';
import type { PipelineCounters } from './counters.js';
import type { PipelineMeter } from './meter.js';
import type { EntryQueue, QueueItem, SinkBatch } from './queue.js';
import type { Semaphore } from './semaphore.js';
import type { SinkHealth } from './sink-health.js';
import { LONGEST_WAIT_MS, readWriteFailure, type WriteFailure } from './write-failure.js';

const FIRST_WAIT_MS = 200;

/** One sink, as its deliveries see it. */
export interface DeliveryOptions {
  readonly name: string;
  readonly sink: Pick<Sink, 'write' | 'recover'>;
  /** Bounds attempts that run at a time; a delivery that waits for its next attempt holds no place. */
  readonly writers: Pick<Semaphore, 'run'>;
  readonly health: SinkHealth;
  /** Makes dead letters of rejected rows, for the sink that takes them. @throws SinkError */
  readonly deadLetters: (batch: SinkBatch, rejected: readonly RejectedRow[]) => readonly QueueItem[];
  readonly queue: Pick<EntryQueue, 'take' | 'commit' | 'hold'>;
  /** A change is a reason to try again at once. */
  readonly endpoints: Services['endpoints'];
  readonly meter: PipelineMeter;
  readonly counters: Pick<PipelineCounters, 'refusedBySink'>;
  readonly logger: Logger;
  /** Ends all attempts and waiting. */
  readonly signal: AbortSignal;
}

/**
 * Takes the next batch of a destination and writes it: the same entries under the same token until it succeeds or the
 * signal aborts. The batch is taken when a writer is free and not before, so that it is as large as it can be. Does not
 * throw.
 */
export async function deliver(options: DeliveryOptions, destination: string): Promise<void> {
  try {
    await deliverNext(options, destination);
  } catch (error) {
    // Not the sink's doing, which `write` catches. The entries stay in the queue; the flow must not end.
    options.logger.error({ destination, err: error }, 'Delivery failed; entries stay in the queue');
  }
}

async function deliverNext(options: DeliveryOptions, destination: string): Promise<void> {
  const { name, writers, queue, signal } = options;
  const backoff = new Backoff({ initialMs: FIRST_WAIT_MS, maxMs: LONGEST_WAIT_MS });
  let batch: SinkBatch | undefined;
  let writer: BatchWriter | undefined;
  let rejected: readonly QueueItem[] = [];
  const attempt = async (): Promise<WriteFailure | 'written' | 'ended'> => {
    if (signal.aborted) return 'ended';
    batch ??= await queue.take(name, destination);
    if (batch === undefined) return 'ended';
    writer ??= new BatchWriter(options.sink, batch);
    const result = await write(options, batch, writer);
    if ('outcome' in result) return result;
    rejected = result.deadLetters;
    return 'written';
  };
  let result = await writers.run(attempt);
  while (batch !== undefined && typeof result === 'object') {
    noteFailure(options, batch, result);
    await pause(options, Math.max(result.atLeastMs, backoff.next()));
    result = await writers.run(attempt);
  }
  if (batch === undefined || result !== 'written') return;
  if (options.health.ended(batch.token)) {
    options.logger.info({ destination: batch.destination, rows: batch.rows }, 'Sink recovered');
  }
  noteRejected(options, batch, writer?.rejected ?? []);
  await queue.commit(batch, rejected);
}

/** One attempt, and the dead letters of the rows that were rejected. */
async function write(
  options: DeliveryOptions,
  batch: SinkBatch,
  writer: BatchWriter,
): Promise<WriteFailure | { readonly deadLetters: readonly QueueItem[] }> {
  const { name, meter, signal } = options;
  const began = performance.now();
  let result: WriteFailure | { readonly deadLetters: readonly QueueItem[] };
  try {
    await writer.attempt(signal);
    const { rejected } = writer;
    result = { deadLetters: rejected.length === 0 ? [] : options.deadLetters(batch, rejected) };
  } catch (error) {
    result = readWriteFailure(error);
  }
  const outcome = 'outcome' in result ? result.outcome : 'ok';
  meter.wrote(name, outcome, performance.now() - began, batch.rows - writer.rejected.length, batch.bytes);
  return result;
}

/** Rejected rows end as dead letters and not as delivered. */
function noteRejected(
  { counters, logger }: DeliveryOptions,
  { destination, rows, token, uncertain }: SinkBatch,
  rejected: readonly RejectedRow[],
): void {
  if (rejected.length === 0) return;
  const counts = new Map<string, number>();
  for (const { code } of rejected) counts.set(code, (counts.get(code) ?? 0) + 1);
  const codes = Object.fromEntries(counts);
  logger.warn(
    { destination, rows, refused: rejected.length, codes, batch: token },
    'Rows rejected; dead-lettered',
  );
  // The events of a batch that an earlier process took in were counted there.
  if (uncertain !== true) counters.refusedBySink(destination, counts);
}

function noteFailure(
  { queue, health, logger }: DeliveryOptions,
  batch: SinkBatch,
  failure: WriteFailure,
): void {
  const { outcome, code, reason } = failure;
  const state = outcome === 'retryable' ? 'degraded' : 'failed';
  // Rows that are refused are the batch's own trouble: others of the destination may pass it.
  if (outcome !== 'partial') queue.hold(batch);
  const fresh = health.failing(batch.token, { state, reason: `${code}: ${reason}` });
  const fields = { destination: batch.destination, rows: batch.rows, batch: batch.token, code, reason };
  if (!fresh) logger.debug(fields, 'Write failed again; retrying');
  else if (state === 'degraded') logger.warn(fields, 'Write failed; retrying');
  else logger.error(fields, 'Write rejected; batch kept, retrying');
}

/** Waits; a change of the endpoints or the end of all attempts ends it early. */
async function pause({ endpoints, signal }: DeliveryOptions, ms: number): Promise<void> {
  const early = new AbortController();
  const wake = (): void => early.abort();
  const unsubscribe = endpoints.subscribe(wake);
  signal.addEventListener('abort', wake, { once: true });
  if (!signal.aborted) await sleep(ms, early.signal);
  unsubscribe();
  signal.removeEventListener('abort', wake);
}
