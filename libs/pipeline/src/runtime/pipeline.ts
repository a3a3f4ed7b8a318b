import { setMaxListeners } from 'node:events';
import { EMPTY, ignoreElements, merge, mergeMap, type ObservableInput, Subject, tap } from 'rxjs';
import { GatewayError, type Batch, type Emit, type Logger, type DurableRanges } from '../api/index.js';
import { bufferRows, type RowLimits } from './buffer-rows.js';
import { bufferEvents, type EventLimits, type BatchSlice, type ProcessingBatch } from './buffer-events.js';
import type { PipelineCounters } from './counters.js';
import { CreditGate, type CreditLimits } from './credit-gate.js';
import { deliver, type DeliveryOptions } from './deliver.js';
import type { Instances } from './instances.js';
import { DROP_REASONS } from './pending-batch.js';
import { makeQueue } from './make-queue.js';
import type { PipelineMeter } from './meter.js';
import { Processor } from './processing.js';
import type { EntryQueue, QueueStats } from './queue.js';
import { undecodedReason } from './record-groups.js';
import { rejectedItems, type RejectedRowsOptions } from './rejected-rows.js';
import { Semaphore } from './semaphore.js';
import { BatchTracker } from './batch-tracker.js';
import { SinkHealth } from './sink-health.js';
import { SpoolQueue } from './spool-queue.js';
import type { InstanceStatusTracker } from './status.js';
import type { PipelineOptions } from './types.js';

/** Longest time a processing batch waits for more events, ms, so that events are soon safe (`docs/explanation/adr/0004`). */
const LINGER_MS = 25;
/**
 * Raw bytes that may wait to be encoded before sources have to. Parsed they take five times as much memory, so when the
 * spool is behind they had better stay with the senders (`docs/explanation/adr/0017`).
 */
const MAX_UNENCODED_BYTES = 2 * 1024 * 1024;
const NO_CREDIT: CreditLimits = { events: 0, bytes: 0 };

/** What a flow is built from. */
export interface FlowOptions {
  readonly pipeline: PipelineOptions;
  readonly instances: Instances;
  readonly counters: PipelineCounters;
  readonly meter: PipelineMeter;
  readonly logger: Logger;
  readonly now: () => number;
}

/** The way of the events of a pipeline, from `emit` to the sinks. */
export class Flow {
  readonly #intake = new Subject<BatchSlice>();
  readonly #aborted = new AbortController();
  readonly #tracker: BatchTracker;
  readonly #gate: CreditGate;
  readonly #queue: EntryQueue;
  readonly #jobs = new Semaphore(1);
  readonly #writers: readonly Semaphore[];
  readonly #processor: Processor;
  /** State of the spool; missing where the queue is in memory. */
  readonly spoolBoard: InstanceStatusTracker | undefined;
  #unencodedBytes = 0;
  #open = false;
  #hurried = false;
  #done: Promise<void> = Promise.resolve();
  #unsubscribe = (): void => undefined;

  constructor(private readonly options: FlowOptions) {
    const { pipeline, instances, counters, logger } = options;
    const idPrefix = `${pipeline.gatewayId}/${pipeline.epoch}`;
    this.#tracker = new BatchTracker(counters, ({ size, bytes, connectionId }) =>
      this.#gate.release(size, bytes, connectionId),
    );
    this.#gate = new CreditGate(
      () => (this.#unencodedBytes > MAX_UNENCODED_BYTES ? NO_CREDIT : creditOf(pipeline)),
      () => this.#queue.recheck(),
    );
    const { queue, board } = makeQueue({
      pipeline,
      sinks: instances.sinks.map(({ name }) => name),
      idPrefix,
      events: this.#tracker,
      meter: options.meter,
      logger,
      now: options.now,
      conditions: () => this.#sinkLimits(),
    });
    this.#queue = queue;
    this.spoolBoard = board;
    this.#writers = instances.sinks.map(() => new Semaphore(1));
    this.#processor = new Processor({
      pipeline: pipeline.spec.name,
      steps: instances.steps,
      undecoded: undecodedReason(instances.source.plugin),
      sinks: instances.sinks,
      deadLetters: instances.deadLetters,
      idPrefix,
      queue: this.#queue,
      tracker: this.#tracker,
      sinkBatchRows: () => pipeline.settings.current.sinkBatchSize,
      logger,
    });
    // Every delivery that waits, and what sinks make of the signal, listens to it.
    setMaxListeners(0, this.#aborted.signal);
  }

  /** Opens the queue; rejects when it cannot be opened. */
  async open(signal: AbortSignal): Promise<void> {
    this.spoolBoard?.begin();
    await this.#queue.open(signal);
    this.spoolBoard?.enter('running');
  }

  /** Connects source and sinks. RxJS carries batches and has no brake: `emit` is where sources wait (`docs/explanation/adr/0044`). */
  start(): void {
    const queued$ = this.#intake.pipe(
      // Source batches become processing batches: `activitymonitor_batch_size`, or a short linger.
      bufferEvents(() => this.#processingLimits()),
      // Decode, accumulate, enqueue: so many jobs at a time.
      mergeMap((batch) => this.#process(batch)),
      // Nothing more will come: the queue gives out what is left, and then completes `changes`.
      tap({
        complete: () => {
          this.#processor.flush();
          this.#queue.close();
        },
      }),
    );
    const written$ = this.#deliveries().map((delivery) =>
      this.#queue.changes(delivery.name).pipe(
        // Entries become sink batches: `activitymonitor_clickhouse_batch_size`, `activitymonitor_batch_interval_seconds`.
        bufferRows(() => this.#sinkLimits()),
        // Write, again if need be: so many writers at a time. What is written settles its source batches.
        mergeMap((destination) => deliver(delivery, destination)),
      ),
    );
    this.#done = new Promise((resolve) => {
      const subscription = merge(queued$, ...written$)
        .pipe(ignoreElements())
        .subscribe({
          complete: resolve,
          error: (error: unknown) => {
            this.#broken(error);
            resolve();
          },
        });
      this.#unsubscribe = () => subscription.unsubscribe();
    });
    this.#open = true;
    this.applySettings();
  }

  /** `Emit` for the source: takes the batch and resolves when there is room for another. */
  readonly emit: Emit = (batch: Batch): Promise<void> => {
    if (!this.#open) {
      this.#tracker.refuse(batch, DROP_REASONS.stopped);
      return Promise.reject(new GatewayError('PIPELINE_STOPPED', 'The pipeline has stopped.'));
    }
    if (batch.size === 0) {
      batch.settle({ delivered: 0, deadLettered: 0, dropped: 0 });
      return Promise.resolve();
    }
    const pendingBatch = this.#tracker.receive(batch);
    const room = this.#gate.take(pendingBatch.size, pendingBatch.bytes, pendingBatch.connectionId);
    this.#intake.next({ batch, pendingBatch });
    return room;
  };

  /** Lets the current settings hold; to be called after each change. */
  applySettings(): void {
    const { maxConcurrentJobs, sinkWriters } = this.options.pipeline.settings.current;
    this.#jobs.limit = maxConcurrentJobs;
    // Each sink has its share: one that hangs must not take the writers of the others.
    const share = Math.max(1, Math.floor(sinkWriters / this.#writers.length));
    for (const writers of this.#writers) writers.limit = share;
    this.#gate.changed();
    this.#queue.recheck();
  }

  /** From now on nothing waits to become a larger write: the source is being stopped, and waits for what it gave. */
  flushImmediately(): void {
    this.#hurried = true;
    this.#queue.recheck();
  }

  /** Stops accepting batches and drains the rest. If a sink stays down, the promise never resolves. */
  drain(): Promise<void> {
    this.#open = false;
    this.#intake.complete();
    return this.#done;
  }

  /** Takes over spools of reactors that are no more. */
  adopt(directories: readonly string[]): void {
    if (this.#queue instanceof SpoolQueue) this.#queue.adopt(directories);
  }

  /** Gives up what is not safe, and closes everything. Returns how many events that were. */
  async close(): Promise<number> {
    this.#open = false;
    this.#aborted.abort();
    this.#unsubscribe();
    this.#processor.flush();
    await this.#queue.destroy();
    // What has become safe meanwhile is settled now.
    await new Promise((resolve) => setImmediate(resolve));
    const left = this.#tracker.abandon(DROP_REASONS.shutdown);
    this.#gate.close();
    this.spoolBoard?.enter('stopped');
    return left;
  }

  /** What the queue remembers of senders' streams, if it can. */
  get marks(): DurableRanges | undefined {
    return this.#queue.streams;
  }

  /** Raw bytes that hold credit. */
  get bufferBytes(): number {
    return this.#gate.bytes;
  }

  /** Whether sources wait for room. */
  get backPressure(): boolean {
    return this.#gate.waiting > 0;
  }

  /** Whether everything that the pipeline holds is on disk. */
  get durable(): boolean {
    return this.#queue instanceof SpoolQueue && this.#gate.events === 0;
  }

  /** Events on disk for the next start; 0 where the queue is in memory. */
  get waitingEvents(): number {
    return this.#queue instanceof SpoolQueue ? this.#queue.waitingEvents : 0;
  }

  queueStats(): QueueStats {
    return this.#queue.stats();
  }

  /** Waits for a job and works the batch off. Jobs wait for a queue that cannot keep up; what waits for them holds up sources. */
  #process(slices: ProcessingBatch): ObservableInput<unknown> {
    const bytes = slices.reduce((sum, { batch }) => sum + batch.bytes, 0);
    this.#unencodedBytes += bytes;
    const rest = this.#jobs.runNow(() => {
      this.#unencodedBytes -= bytes;
      this.#gate.changed();
      return this.#processor.process(slices);
    });
    return rest ?? EMPTY;
  }

  #processingLimits(): EventLimits {
    const { batchSize, bufferMaxEvents, batchIntervalMs } = this.options.pipeline.settings.current;
    // A batch larger than what may be held would only ever leave by time.
    return { events: Math.min(batchSize, bufferMaxEvents), lingerMs: Math.min(LINGER_MS, batchIntervalMs) };
  }

  #sinkLimits(): RowLimits {
    const { sinkBatchSize, batchIntervalMs } = this.options.pipeline.settings.current;
    return {
      now: this.options.now(),
      maxRows: sinkBatchSize,
      maxAgeMs: batchIntervalMs,
      pressure: this.#hurried || this.#gate.waiting > 0,
    };
  }

  #deliveries(): DeliveryOptions[] {
    const { instances, meter, pipeline, counters } = this.options;
    const rejected: RejectedRowsOptions = {
      pipeline: pipeline.spec.name,
      sink: instances.deadLetters,
      eventTypes: instances.deadLetters.context.eventTypes,
      idPrefix: `${pipeline.gatewayId}/${pipeline.epoch}`,
    };
    return instances.sinks.map(({ name, plugin, board, context }, i) => ({
      name,
      sink: plugin,
      writers: this.#permitted(this.#writers[i] ?? new Semaphore(1), name),
      health: new SinkHealth(board),
      deadLetters: (batch, rows) => rejectedItems(rejected, batch, rows),
      queue: this.#queue,
      endpoints: pipeline.services.endpoints,
      meter,
      counters,
      logger: context.logger,
      signal: this.#aborted.signal,
    }));
  }

  /** Writers of this pipeline that also need a permit, where permits bound those of all reactors. */
  #permitted(writers: Semaphore, sink: string): DeliveryOptions['writers'] {
    const { spec, writePermits } = this.options.pipeline;
    if (writePermits === undefined) return writers;
    const pool = `${spec.name}/${sink}`;
    return { run: (work) => writers.run(() => writePermits.run(pool, work)) };
  }

  /** The parts of the chain catch what plugins throw; should one of ours throw, nothing may wait indefinitely. */
  #broken(error: unknown): void {
    this.options.logger.error({ err: error }, 'Pipeline failed; open events dropped');
    this.options.instances.source.board.reportHost({ state: 'failed', reason: 'The flow is broken.' });
    this.#open = false;
    this.#tracker.abandon(DROP_REASONS.internal);
    this.#gate.close();
  }
}

function creditOf({ settings, spec }: PipelineOptions): CreditLimits {
  const { bufferMaxEvents, bufferBytesShare = 1 } = settings.current;
  return { events: bufferMaxEvents, bytes: spec.buffer.maxBytes * bufferBytesShare };
}
