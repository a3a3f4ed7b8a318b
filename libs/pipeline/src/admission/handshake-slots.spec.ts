import { describe, expect, it } from '@jest/globals';
import { HandshakeSlots } from './handshake-slots.js';

describe('HandshakeSlots', () => {
  it('gives two in any second, however often they are asked for', () => {
    let now = 0;
    const slots = new HandshakeSlots(() => now);
    const taken: number[] = [];
    for (; now < 60_000; now += 7) if (slots.take()) taken.push(now);
    for (const at of taken) {
      expect(taken.filter((other) => other >= at && other < at + 1_000).length).toBeLessThanOrEqual(2);
    }
    // Of which the spread takes a fifth.
    expect(taken.length).toBeGreaterThan(80);
  });

  it('gives back at once what a proved key has taken', () => {
    const slots = new HandshakeSlots(() => 0);
    expect([slots.take(), slots.take(), slots.take()]).toEqual([true, true, false]);
    slots.giveBack();
    expect([slots.take(), slots.take()]).toEqual([true, false]);
    slots.giveBack();
    slots.giveBack();
    slots.giveBack();
    expect([slots.take(), slots.take(), slots.take()]).toEqual([true, true, false]);
  });

  it('does not leave out one of two that knock at a steady pace', () => {
    let now = 0;
    const slots = new HandshakeSlots(() => now);
    let seldom = 0;
    for (let at = 0; at < 600_000; at += 100) {
      now = at;
      slots.take();
      // Between two knocks of the other.
      now += 50;
      if (at % 1_000 === 0 && slots.take()) seldom += 1;
    }
    expect(seldom).toBeGreaterThan(20);
  });
});
