import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Block,
  defineEventType,
  type EncodedEntry,
  type RecordBatch,
  type Recovery,
  RetryableError,
  type Sink,
  type SinkDefinition,
} from '../../api/index.js';
import { encodeOnly } from '../../helpers/index.js';
import { createTestContext } from '../test-context.js';
import { type ContractDestination, crashAtEachPoint } from './recover-contract.js';

const type = defineEventType({ name: 'notes', fields: { text: { kind: 'text' } } });

/** What it is asked for, one JSON value a line; it answers each with one. */
type Request = { readonly put: readonly string[]; readonly id: string } | { readonly has: string };

/** Keeps what it is sent, and of an id only the first. */
class ToyDestination implements ContractDestination {
  readonly type = type;
  readonly key = 'text';
  readonly #entries = new Map<string, readonly string[]>();
  readonly #server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    const lines = createInterface({ input: socket }).on('error', () => undefined);
    lines.on('line', (line) => socket.write(`${this.#answer(JSON.parse(line) as Request)}\n`));
  });

  static async open(): Promise<ToyDestination> {
    const toy = new ToyDestination();
    toy.#server.listen(0, '127.0.0.1');
    await once(toy.#server, 'listening');
    return toy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  context(port: number): ReturnType<typeof createTestContext> {
    const context = createTestContext({ eventTypes: [type] });
    context.services.endpoints.set(new Map([['toy', { url: `http://127.0.0.1:${port}` }]]) as never);
    return context;
  }

  prepare(): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }

  stored(): Promise<string[]> {
    return Promise.resolve([...this.#entries.values()].flat());
  }

  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: Request): boolean {
    if ('has' in request) return this.#entries.has(request.has);
    if (!this.#entries.has(request.id)) this.#entries.set(request.id, request.put);
    return true;
  }
}

/** How a toy sink recovers; all but the first do it wrongly. */
type Way = 'missing' | 'all' | 'none' | 'found only';

/** A sink for the toy: one connection for each request. */
class ToySink implements Sink {
  constructor(
    private readonly port: number,
    private readonly way: Way,
  ) {}

  open(): Block {
    const block = encodeOnly('notes', ({ records }) =>
      Buffer.from(records.map(({ text }) => `${text as string}\n`).join('')),
    );
    const { undo, add } = { undo: () => block.undo(), add: (batch: RecordBatch) => block.add(batch) };
    return { add, undo, finish: (id) => ({ ...block.finish(id), id }) };
  }

  async write(entries: readonly EncodedEntry[]): Promise<void> {
    for (const entry of entries) await this.#put(entry, entry.id ?? '');
  }

  async recover(entries: readonly EncodedEntry[]): Promise<Recovery> {
    const found: number[] = [];
    for (const entry of entries) {
      const there =
        this.way === 'missing' || this.way === 'found only'
          ? await this.#ask({ has: entry.id ?? '' })
          : false;
      found.push(there ? entry.rows : 0);
      if (this.way === 'missing' && !there) await this.#put(entry, entry.id ?? '');
      if (this.way === 'all') await this.#put(entry, `${entry.id}/${Math.random()}`);
    }
    return { found, rejected: [] };
  }

  async #put(entry: EncodedEntry, id: string): Promise<void> {
    await this.#ask({ put: String(entry.bytes).trim().split('\n'), id });
  }

  async #ask(request: Request): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      socket.write(`${JSON.stringify(request)}\n`);
      for await (const piece of socket) return String(piece).trim() === 'true';
    } catch {
      // As below.
    } finally {
      socket.destroy();
    }
    throw new RetryableError('no answer', 'TOY');
  }
}

function sinkOf(way: Way): Parameters<typeof crashAtEachPoint>[0] {
  const definition: SinkDefinition<object, 'endpoints'> = {
    apiVersion: 1,
    id: 'sinks.toy',
    kind: 'sink',
    summary: 'Keeps texts.',
    requires: ['endpoints'],
    stability: 'stable',
    configSchema: { type: 'object' },
    create: (_, { services }) =>
      new ToySink(Number(new URL(services.endpoints.current.get('toy')?.url ?? '').port), way),
  };
  return { definition, options: () => ({}) };
}

describe('a crash at each point of a recovery', () => {
  let toy: ToyDestination;
  beforeEach(async () => {
    toy = await ToyDestination.open();
  });
  afterEach(() => toy.close());

  it.each(['write', 'restart'] as const)('passes a sink that stores what is missing (%s)', async (begin) => {
    // A question and its answer for each entry.
    expect(await crashAtEachPoint(sinkOf('missing'), toy, begin, [])).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ['all', 'write'],
    ['all', 'restart'],
    ['none', 'write'],
    ['found only', 'write'],
  ] as const)('shows a sink that stores %s of the batch (%s)', async (way, begin) => {
    await expect(crashAtEachPoint(sinkOf(way), toy, begin, [])).rejects.toThrow('stored');
  });

  it('shows a sink that does not say what was refused', async () => {
    await expect(crashAtEachPoint(sinkOf('missing'), toy, 'write', ['k1'])).rejects.toThrow('rejected');
  });
});
