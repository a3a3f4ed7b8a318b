import { describe, expect, it } from '@jest/globals';
import { CreditGate } from './credit-gate.js';

function gate(events: number, bytes = 1_000_000_000) {
  const limits = { events, bytes };
  const pressure: number[] = [];
  const made = new CreditGate(
    () => limits,
    () => void pressure.push(made.waiting),
  );
  return { gate: made, limits, pressure };
}

/** A connection that gives batches of one size, each when it may, and counts them. */
class Sender {
  given = 0;
  #stopped = false;

  constructor(
    private readonly gate: CreditGate,
    readonly name: string,
    private readonly events: number,
    private readonly bytes = 0,
  ) {}

  /** Gives until it is stopped; `brake` ends it when nothing ever makes it wait. */
  async run(brake = Infinity): Promise<void> {
    while (!this.#stopped && this.given < brake) {
      this.given += 1;
      await this.gate.take(this.events, this.bytes, this.name);
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

/** Lets promises and immediates run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

function track(promise: Promise<void>): { done: boolean } {
  const state = { done: false };
  void promise.then(() => (state.done = true));
  return state;
}

describe('CreditGate', () => {
  it('takes every batch, and makes its connection wait while the limit is reached', async () => {
    const { gate: g, pressure } = gate(100);
    const first = track(g.take(60, 1, 'a'));
    const second = track(g.take(60, 1, 'a'));
    await settle();
    expect(first.done).toBe(true);
    expect(second.done).toBe(false);
    expect(g.events).toBe(120);
    expect(pressure).toEqual([1]);
    g.release(60, 1, 'a');
    await settle();
    expect(second.done).toBe(true);
    expect(g.waiting).toBe(0);
  });

  it('counts bytes as well as events', async () => {
    const { gate: g } = gate(100, 1_000);
    const waiting = track(g.take(1, 1_000, 'a'));
    await settle();
    expect(waiting.done).toBe(false);
    g.release(1, 1_000, 'a');
    await settle();
    expect(waiting.done).toBe(true);
  });

  it('lets a batch above the whole limit pass', async () => {
    const { gate: g } = gate(10);
    const big = track(g.take(1_000, 1, 'a'));
    await settle();
    expect(big.done).toBe(false);
    g.release(1_000, 1, 'a');
    await settle();
    expect(big.done).toBe(true);
  });

  it('lets waiters on in the order they came', async () => {
    const { gate: g } = gate(10);
    const order: string[] = [];
    for (const sender of ['a', 'b', 'c']) void g.take(10, 1, sender).then(() => order.push(sender));
    for (const sender of ['a', 'b', 'c']) g.release(10, 1, sender);
    await settle();
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('does not let all waiters on for the room of one', async () => {
    const { gate: g } = gate(100);
    const senders = Array.from({ length: 10 }, (_, i) => new Sender(g, `${i}`, 60));
    for (const sender of senders) void sender.run();
    expect(g.events).toBe(600);
    for (const { name } of senders) g.release(60, 0, name);
    await settle();
    // Two batches reach the limit; another connection only found out by giving.
    expect(g.events).toBe(120);
    expect(g.waiting).toBe(10);
    for (const sender of senders) sender.stop();
  });

  it('does not leave waiters behind one that has nothing more to give', async () => {
    const { gate: g } = gate(100);
    const waiting = Array.from({ length: 10 }, (_, i) => track(g.take(100, 1, `${i}`)));
    for (let i = 0; i < 10; i += 1) g.release(100, 1, `${i}`);
    for (let i = 0; i < 5; i += 1) await settle();
    expect(waiting.every(({ done }) => done)).toBe(true);
  });

  it('follows a limit that is raised', async () => {
    const { gate: g, limits } = gate(10);
    const waiting = track(g.take(50, 1, 'a'));
    limits.events = 100;
    g.changed();
    await settle();
    expect(waiting.done).toBe(true);
  });

  it('tells of pressure when it begins, not for each one who waits', () => {
    const { gate: g, pressure } = gate(10);
    void g.take(20, 1, 'a');
    void g.take(20, 1, 'a');
    expect(pressure).toEqual([1]);
  });

  it('lets everybody go when it is closed', async () => {
    const { gate: g } = gate(10);
    const waiting = [track(g.take(50, 1, 'a')), track(g.take(50, 1, 'a'))];
    g.close();
    await settle();
    expect(waiting.every(({ done }) => done)).toBe(true);
  });

  it('leaves something of the limit to those that come, whoever floods', async () => {
    const { gate: g } = gate(9_000);
    const flood = new Sender(g, 'flood', 100);
    void flood.run();
    await settle();
    expect(g.waiting).toBe(1);
    expect(g.events).toBeGreaterThanOrEqual(8_000);
    expect(g.events).toBeLessThan(8_200);
    const modest = track(g.take(100, 0, 'modest'));
    await settle();
    expect(modest.done).toBe(true);
    flood.stop();
  });

  it('gives those that flood equal parts, also one that comes late', async () => {
    const { gate: g } = gate(10_000);
    const senders = [new Sender(g, 'first', 10), new Sender(g, 'late', 10)];
    const settled = [0, 0];
    void senders[0]!.run();
    await settle();
    void senders[1]!.run();
    // What leaves at the other end is what came first; both lose the same, and may give again.
    for (let round = 0; round < 1_000; round += 1) {
      for (const [i, { name, given }] of senders.entries()) {
        if (settled[i] === given) continue;
        settled[i]! += 1;
        g.release(10, 0, name);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [first, late] = senders.map(({ given }, i) => (given - settled[i]!) * 10);
    expect(first! + late!).toBeLessThan(10_000);
    expect(Math.abs(first! - late!)).toBeLessThan(500);
    for (const sender of senders) sender.stop();
  });

  it('does not let one connection wait behind another that holds too much', async () => {
    const { gate: g } = gate(900);
    const heavy = track(g.take(850, 0, 'heavy'));
    const light = track(g.take(10, 0, 'light'));
    await settle();
    expect([heavy.done, light.done]).toEqual([false, true]);
  });

  it('lets the others have a turn of the event loop after so many bytes, which is no pressure', async () => {
    const { gate: g, pressure } = gate(1_000_000);
    const flood = new Sender(g, 'flood', 100, 32 * 1024);
    void flood.run(1_000);
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
    expect(flood.given).toBe(2);
    expect(g.waiting).toBe(0);
    await settle();
    expect(flood.given).toBeGreaterThan(2);
    expect(pressure).toEqual([]);
    flood.stop();
  });

  it('forgets connections that hold nothing', async () => {
    const { gate: g } = gate(100);
    for (const sender of ['a', 'b']) void g.take(60, 1, sender);
    expect(g.connections).toBe(2);
    for (const sender of ['a', 'b']) g.release(60, 1, sender);
    await settle();
    expect(g.connections).toBe(0);
  });
});
