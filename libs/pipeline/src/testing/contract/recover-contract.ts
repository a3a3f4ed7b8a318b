import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type EncodedEntry,
  type EventType,
  PartialWriteError,
  type Recovery,
  type RecoveryCause,
  RetryableError,
  type Sink,
} from '../../api/index.js';
import { encodeBatch, sleep } from '../../helpers/index.js';
import { sampleBatch } from '../sample-batch.js';
import { sampleRecord } from '../sample-record.js';
import type { TestContext } from '../test-context.js';
import { CutProxy } from './cut-proxy.js';
import { createInstance, type InstanceFactory, startInstance } from './lifecycle-contract.js';

const ENTRIES = 2;
const ROWS = 4;
/** Keys of the records that are refused where any are: the last one of each entry. */
const REFUSED = ['k3', 'k7'];
/** A recovery that takes more steps than this is taken for endless. */
const MAX_POINTS = 500;
/** How long a recovery may be repeated until it succeeds, ms. */
const RECOVERY_MS = 20_000;
const RETRY_MS = 20;
/** The points of one case together, ms. */
const CASE_MS = 120_000;

/** A real destination that the contract of a sink with `recover` may break off and look into. */
export interface ContractDestination {
  /** An event type whose rows it takes. */
  readonly type: EventType;
  /** A text or keyword field of that type: the contract sets it to tell records apart. */
  readonly key: string;
  /** Where it listens on 127.0.0.1. */
  readonly port: number;
  /** A context with which the sink finds it at another port of 127.0.0.1. */
  context(port: number): TestContext;
  /** Makes it empty, without memory of tokens; rows with one of these keys are refused from then on. */
  prepare(refused: readonly string[]): Promise<void>;
  /** The keys of all stored rows, in any order; a key is there as often as its row. */
  stored(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** How a batch comes to its recovery. `write`: in the same process; `restart`: written by a process that died at once. */
type Begin = 'write' | 'restart';

/** Declares the tests of a sink's `recover`, with a crash at each of its points. */
export function recoverContract(
  factory: Pick<InstanceFactory, 'definition' | 'options'>,
  open: () => Promise<ContractDestination>,
): void {
  describe('recovers a batch after a crash at each point, every row once,', () => {
    let destination: ContractDestination;
    beforeAll(async () => {
      destination = await open();
    }, RECOVERY_MS);
    afterAll(() => destination.close(), RECOVERY_MS);

    it.each([
      ['when its write is cut off', 'write', []],
      ['after a restart that does not know whether it is stored', 'restart', []],
      ['when rows of it are refused', 'write', REFUSED],
      ['after a restart, when rows of it are refused', 'restart', REFUSED],
    ] as const)(
      '%s',
      async (_, begin, refused) => {
        expect(await crashAtEachPoint(factory, destination, begin, refused)).toBeGreaterThan(0);
      },
      CASE_MS,
    );
  });
}

/**
 * Stores a batch again and again, with a crash one step later each time, until one run ends before its crash.
 * @returns how many points there were
 * @throws (an assertion's error) when a row is stored twice or not at all, or rejected wrongly
 */
export async function crashAtEachPoint(
  factory: Pick<InstanceFactory, 'definition' | 'options'>,
  destination: ContractDestination,
  begin: Begin,
  refused: readonly string[],
): Promise<number> {
  for (let point = 1; point <= MAX_POINTS; point += 1) {
    await destination.prepare(refused);
    const run = new Run(factory, destination, `contract/${begin}/${refused.length}/${point}`);
    if (begin === 'restart') await run.lose();
    const { crashed, rejected } = await run.until(point, begin);
    const keys = run.keys.filter((key) => !refused.includes(key));
    const outcome = {
      point,
      stored: [...(await destination.stored())].sort(),
      rejected: [...rejected].sort(),
    };
    expect(outcome).toEqual({ point, stored: keys.sort(), rejected: [...refused].sort() });
    if (!crashed) return point - 1;
  }
  throw new Error(`The recovery has not ended after ${MAX_POINTS} steps.`);
}

/** One batch, and the processes that try to store it. */
class Run {
  readonly keys = Array.from({ length: ENTRIES * ROWS }, (_, index) => `k${index}`);
  #entries: readonly EncodedEntry[] | undefined;

  constructor(
    private readonly factory: Pick<InstanceFactory, 'definition' | 'options'>,
    private readonly destination: ContractDestination,
    private readonly token: string,
  ) {}

  /** Writes the batch in a process whose outcome nobody learns. */
  lose(): Promise<void> {
    return this.#process(this.destination.port, async (sink, entries, signal) => {
      await sink.write(entries, this.token, signal).catch((error: unknown) => {
        if (!(error instanceof PartialWriteError)) throw error;
      });
    });
  }

  /** Stores the batch in a process that crashes at a point, and in one after it. */
  async until(point: number, begin: Begin): Promise<{ crashed: boolean; rejected: string[] }> {
    const proxy = await CutProxy.start(this.destination.port, point);
    try {
      const recovery = await this.#process(proxy.port, (sink, entries, signal) =>
        begin === 'write'
          ? this.#store(sink, entries, signal, () => proxy.isCut)
          : this.#recover(sink, entries, { uncertain: true }, signal, () => proxy.isCut),
      );
      if (!proxy.isCut) return { crashed: false, rejected: this.#keysOf(recovery) };
      const again = await this.#process(this.destination.port, (sink, entries, signal) =>
        this.#recover(sink, entries, { uncertain: true }, signal, () => false),
      );
      return { crashed: true, rejected: this.#keysOf(again) };
    } finally {
      await proxy.close();
    }
  }

  /** As the host does. */
  async #store(
    sink: Sink,
    entries: readonly EncodedEntry[],
    signal: AbortSignal,
    crashed: () => boolean,
  ): Promise<Recovery | undefined> {
    let why: RecoveryCause = { uncertain: true };
    try {
      await sink.write(entries, this.token, signal);
      return undefined;
    } catch (error) {
      if (error instanceof PartialWriteError) why = { refusal: error, uncertain: false };
      else if (!(error instanceof RetryableError)) throw error;
    }
    return crashed() ? undefined : this.#recover(sink, entries, why, signal, crashed);
  }

  async #recover(
    sink: Sink,
    entries: readonly EncodedEntry[],
    why: RecoveryCause,
    signal: AbortSignal,
    crashed: () => boolean,
  ): Promise<Recovery | undefined> {
    for (const deadline = Date.now() + RECOVERY_MS; ;) {
      try {
        return await sink.recover?.(entries, this.token, why, signal);
      } catch (error) {
        if (crashed()) return undefined;
        if (!(error instanceof RetryableError) || Date.now() > deadline) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  /** An instance that knows nothing of those before; what it still does is broken off at its end. */
  async #process<T>(
    port: number,
    work: (sink: Sink, entries: readonly EncodedEntry[], signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const life = new AbortController();
    const context = this.destination.context(port);
    const sink = createInstance({ ...this.factory, context: () => context }, context) as Sink;
    try {
      await startInstance(sink, life.signal);
      return await work(sink, (this.#entries ??= this.#encode(sink)), life.signal);
    } finally {
      life.abort();
      await sink.stop?.(0);
    }
  }

  #encode(sink: Sink): EncodedEntry[] {
    const { type, key } = this.destination;
    return Array.from({ length: ENTRIES }, (_, entry) => {
      const records = Array.from({ length: ROWS }, (_row, row) => {
        const index = entry * ROWS + row;
        return { ...sampleRecord(type, 'plain', index), [key]: `k${index}` };
      });
      // A copy: a sink may use the memory of an entry again once that was let go.
      const encoded = encodeBatch(sink, sampleBatch(type, records), `${this.token}/${entry}`);
      return { ...encoded, bytes: Buffer.from(encoded.bytes) };
    });
  }

  #keysOf(recovery: Recovery | undefined): string[] {
    return (recovery?.rejected ?? []).map(
      ({ raw }) => (JSON.parse(raw) as Record<string, string>)[this.destination.key] ?? raw,
    );
  }
}
