import { describe, expect, it } from '@jest/globals';
import { CreditGate } from './credit-gate.js';

function gate(events: number, bytes = 1_000_000) {
  const limits = { events, bytes };
  const pressure: number[] = [];
  const made = new CreditGate(
    () => limits,
    () => void pressure.push(made.waiting),
  );
  return { gate: made, limits, pressure };
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
  it('takes every batch, and makes its giver wait while the limit is reached', async () => {
    const { gate: g, pressure } = gate(100);
    const first = track(g.take(60, 1));
    const second = track(g.take(60, 1));
    await settle();
    expect(first.done).toBe(true);
    expect(second.done).toBe(false);
    expect(g.events).toBe(120);
    expect(pressure).toEqual([1]);
    g.release(60, 1);
    await settle();
    expect(second.done).toBe(true);
    expect(g.waiting).toBe(0);
  });

  it('counts bytes as well as events', async () => {
    const { gate: g } = gate(100, 1_000);
    const waiting = track(g.take(1, 1_000));
    await settle();
    expect(waiting.done).toBe(false);
    g.release(1, 1_000);
    await settle();
    expect(waiting.done).toBe(true);
  });

  it('lets a batch above the whole limit pass', async () => {
    const { gate: g } = gate(10);
    const big = track(g.take(1_000, 1));
    await settle();
    expect(big.done).toBe(false);
    g.release(1_000, 1);
    await settle();
    expect(big.done).toBe(true);
  });

  it('lets waiters on in the order they came, and newcomers behind them', async () => {
    const { gate: g } = gate(10);
    const order: number[] = [];
    void g.take(10, 1).then(() => order.push(1));
    void g.take(10, 1).then(() => order.push(2));
    g.release(10, 1);
    g.release(5, 1);
    void g.take(1, 1).then(() => order.push(3));
    await settle();
    expect(order).toEqual([1, 2, 3]);
  });

  it('does not let all waiters on for the room of one', async () => {
    const { gate: g } = gate(100);
    await g.take(50, 1);
    const waiting = Array.from({ length: 10 }, () => track(g.take(50, 1)));
    g.release(500, 1);
    // Nobody has used the room yet, so it is looked at again, but one at a time.
    await Promise.resolve();
    await Promise.resolve();
    expect(waiting.filter(({ done }) => done)).toHaveLength(1);
  });

  it('does not leave waiters behind one that has nothing more to give', async () => {
    const { gate: g } = gate(100);
    const waiting = Array.from({ length: 10 }, () => track(g.take(100, 1)));
    g.release(1_000, 10);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(waiting.every(({ done }) => done)).toBe(true);
  });

  it('follows a limit that is raised', async () => {
    const { gate: g, limits } = gate(10);
    const waiting = track(g.take(50, 1));
    limits.events = 100;
    g.changed();
    await settle();
    expect(waiting.done).toBe(true);
  });

  it('tells of pressure when it begins, not for each one who waits', () => {
    const { gate: g, pressure } = gate(10);
    void g.take(20, 1);
    void g.take(20, 1);
    expect(pressure).toEqual([1]);
  });

  it('lets everybody go when it is closed', async () => {
    const { gate: g } = gate(10);
    const waiting = [track(g.take(50, 1)), track(g.take(50, 1))];
    g.close();
    await settle();
    expect(waiting.every(({ done }) => done)).toBe(true);
  });
});
