import { describe, expect, it } from '@jest/globals';
import { HandshakeGate } from './handshake-gate.js';
import { HandshakeTurns } from './handshake-turns.js';

const LIMITS = { total: 3, perAddress: 2, staleMs: 2_000 };

describe('HandshakeGate', () => {
  /** Enters a handshake; what happens to it goes to `log`. */
  function enter(gate: HandshakeGate, log: string[], name: string): () => void {
    const address = name.slice(0, 1);
    return gate.enter(
      address,
      () => log.push(name),
      () => log.push(`${name} gives way`),
    );
  }

  it('bounds them by address and in total; addresses take turns, the oldest of one is next', () => {
    const gate = new HandshakeGate(LIMITS, () => 0);
    const log: string[] = [];
    const leaves = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'a4'].map((name) => enter(gate, log, name));
    expect(log).toEqual(['a1', 'a2', 'b1']);
    leaves[0]!();
    expect(log.at(-1)).toBe('a3');
    leaves[1]!();
    expect(log.at(-1)).toBe('b2');
    leaves[2]!();
    expect(log.at(-1)).toBe('c1');
    leaves[3]!();
    expect(log.at(-1)).toBe('a4');
    for (const leave of leaves) leave();
    expect(gate.running).toBe(0);
    expect(log).toHaveLength(7);
  });

  it('forgets one that left while it waited, and counts a second leave as none', () => {
    const gate = new HandshakeGate(LIMITS, () => 0);
    const log: string[] = [];
    const [first, , waiting] = ['a1', 'a2', 'a3', 'a4'].map((name) => enter(gate, log, name));
    waiting!();
    first!();
    first!();
    expect(log).toEqual(['a1', 'a2', 'a4']);
    expect(gate.running).toBe(2);
  });

  it('ends the oldest of an address when another of it waits and it has had its time, once', () => {
    let now = 0;
    const gate = new HandshakeGate(LIMITS, () => now);
    const log: string[] = [];
    const leave = enter(gate, log, 'a1');
    enter(gate, log, 'b1');
    now = 1_000;
    enter(gate, log, 'a2');
    now = 2_000;
    enter(gate, log, 'a3');
    expect(log.filter((line) => line.endsWith('way'))).toEqual(['a1 gives way']);
    leave();
    expect(log.at(-1)).toBe('a3');
  });

  it('ends as many as wait at the total, whatever their addresses', async () => {
    let now = 0;
    const gate = new HandshakeGate({ ...LIMITS, staleMs: 20 }, () => now);
    const log: string[] = [];
    ['a1', 'b1', 'c1', 'd1'].forEach((name) => enter(gate, log, name));
    expect(log).toEqual(['a1', 'b1', 'c1']);
    now = 20;
    const deadline = Date.now() + 4_000;
    while (log.length < 4 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log).toEqual(['a1', 'b1', 'c1', 'a1 gives way']);
  });
});

describe('HandshakeTurns', () => {
  it('lets one of an address run alone, the next when it is done, and those that waited too long beside it', async () => {
    const turns = new HandshakeTurns(20);
    const log: string[] = [];
    const take = (name: string): void => turns.take('a', (alone) => void log.push(`${name} ${alone}`));
    take('first');
    turns.take('b', (alone) => void log.push(`other ${alone}`));
    take('second');
    turns.leave('a');
    expect(log).toEqual(['first true', 'other true', 'second true']);
    take('third');
    const deadline = Date.now() + 4_000;
    while (log.length < 4 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(log.at(-1)).toBe('third false');
    take('fourth');
    turns.flush();
    expect(log.at(-1)).toBe('fourth false');
    turns.leave('a');
    take('fifth');
    expect(log.at(-1)).toBe('fifth true');
  });
});
