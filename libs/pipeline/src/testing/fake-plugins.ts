import {
  Batch,
  type Block,
  createEvent,
  deadLetters,
  defineEventType,
  type Emit,
  type EncodedEntry,
  type EventType,
  type Origin,
  type RecordBatch,
  type Reject,
  type Sink,
  type Source,
  type Transform,
} from '../api/index.js';
import { encodeOnly, type EncodedBatch } from '../helpers/index.js';

/** What the fake parser makes of events of type `Alpha`. */
export const alphaEvents = defineEventType({ name: 'alpha_events', fields: { id: { kind: 'uint64' } } });
/** What the fake parser makes of events of type `Beta`. */
export const betaEvents = defineEventType({ name: 'beta_events', fields: { id: { kind: 'uint64' } } });

const BY_TYPE: ReadonlyMap<string, EventType> = new Map([
  ['Alpha', alphaEvents],
  ['Beta', betaEvents],
]);

/** A source that gives what a test tells it to. */
export class FakeSource implements Source {
  /** Set by `start`. */
  emit: Emit = () => Promise.reject(new Error('not started'));
  readonly calls: string[] = [];
  onStart: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  onStop: (deadline: number) => Promise<void> = () => Promise.resolve();

  async start(signal: AbortSignal, emit: Emit): Promise<void> {
    this.calls.push('start');
    this.emit = emit;
    await this.onStart(signal);
  }

  async stop(deadline: number): Promise<void> {
    this.calls.push('stop');
    await this.onStop(deadline);
  }
}

/** Decodes `Alpha` and `Beta` events, rejects those with a negative id, and leaves the others alone. */
export class FakeParser implements Transform {
  /** Called before each batch; may throw or change it. */
  onApply: (batch: Batch) => void = () => undefined;

  apply(batch: Batch): void {
    this.onApply(batch);
    const kept = [];
    for (const event of batch.events) {
      const eventType = BY_TYPE.get(event.type);
      const id = event.value as number;
      if (eventType !== undefined && id < 0) {
        batch.rejects.push(negative(event.raw));
        continue;
      }
      if (eventType !== undefined) {
        event.eventType = eventType;
        event.record = { id };
      }
      kept.push(event);
    }
    batch.events = kept;
  }
}

function negative(raw: Uint8Array): Reject {
  return { stage: 'validate', code: 'negative_id', field: '/id', message: 'The id is negative.', raw };
}

/** One successful or failed call of `write`. */
export interface FakeWrite {
  readonly token: string;
  readonly destination: string;
  readonly rows: number;
  readonly entries: number;
  /** The entries' bytes, concatenated. */
  readonly text: string;
  readonly at: number;
}

/** A sink that keeps what it is given, and fails as a test tells it to. */
export class FakeSink implements Sink {
  /** Every call. */
  readonly attempts: FakeWrite[] = [];
  /** Calls that succeeded. */
  readonly writes: FakeWrite[] = [];
  readonly calls: string[] = [];
  running = 0;
  peakRunning = 0;
  onStart: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  onStop: (deadline: number) => Promise<void> = () => Promise.resolve();
  onEncode: (batch: RecordBatch) => void = () => undefined;
  onWrite: (write: FakeWrite, signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  async start(signal: AbortSignal): Promise<void> {
    this.calls.push('start');
    await this.onStart(signal);
  }

  async stop(deadline: number): Promise<void> {
    this.calls.push('stop');
    await this.onStop(deadline);
  }

  open(type: EventType): Block {
    return encodeOnly(type.name, (batch) => this.encode(batch));
  }

  /** Bytes of a batch; a test may replace it. */
  encode({ type, records, runs }: RecordBatch): EncodedBatch {
    this.onEncode({ type, records, runs });
    return (entryId) =>
      Buffer.from(records.map((record) => `${JSON.stringify({ ...record, entryId })}\n`).join(''));
  }

  async write(entries: readonly EncodedEntry[], token: string, signal: AbortSignal): Promise<void> {
    const write: FakeWrite = {
      token,
      destination: entries[0]?.destination ?? '',
      rows: entries.reduce((sum, entry) => sum + entry.rows, 0),
      entries: entries.length,
      text: Buffer.concat(entries.map(({ bytes }) => bytes)).toString('utf8'),
      at: Date.now(),
    };
    this.attempts.push(write);
    this.running += 1;
    this.peakRunning = Math.max(this.peakRunning, this.running);
    try {
      await this.onWrite(write, signal);
      this.writes.push(write);
    } finally {
      this.running -= 1;
    }
  }

  /** Records of a destination that were written, in order. */
  rows(destination: string): Record<string, unknown>[] {
    return this.writes
      .filter((write) => write.destination === destination)
      .flatMap((write) => write.text.trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Ids of the records that were written to the tables of `Alpha` and `Beta`. */
  ids(): number[] {
    return [...this.rows(alphaEvents.name), ...this.rows(betaEvents.name)].map(({ id }) => id as number);
  }

  /** Dead letters that were written. */
  letters(): Record<string, unknown>[] {
    return this.rows(deadLetters.name);
  }
}

/** An origin by its number. */
export function testOrigin(connection = 1): Origin {
  return {
    connectionId: `c${connection}`,
    sender: connection.toString(16).padStart(64, '0'),
    senderHost: `host-${connection}`,
    sourceIp: `10.0.0.${connection % 256}`,
  };
}

/** What a test batch is made from. */
export interface TestBatchOptions {
  readonly origin?: Origin;
  /** `Date.now()` by default. */
  readonly receivedAt?: number;
  /** Type of event by its place; `Alpha` by default. */
  readonly type?: (index: number) => string;
  readonly rejects?: Reject[];
  /** 10 for each message by default. */
  readonly bytes?: number;
}

/** A batch with one event for each id. */
export function testBatch(ids: readonly number[], options: TestBatchOptions = {}): Batch {
  const { origin = testOrigin(), receivedAt = Date.now(), type = () => 'Alpha', rejects = [] } = options;
  const events = ids.map((id, i) => createEvent(type(i), id, Buffer.from(`{"id":${id}}`)));
  const bytes = options.bytes ?? 10 * (ids.length + rejects.length);
  return new Batch(origin, receivedAt, bytes, events, rejects);
}

/** The numbers from `from`, `count` of them. */
export function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** Waits until the condition holds; fails after the time, in ms. */
export async function until(condition: () => boolean, ms = 5_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not so after ${ms} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
