import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createLiveValue } from '@activity-gateway/pipeline/helpers';
import { ConnectionClock } from './connection-clock.js';

const SETTINGS = { maxMessageBytes: 1, idleTimeoutMs: 900_000, firstMessageTimeoutMs: 60_000 };

describe('ConnectionClock', () => {
  let expired: string[];
  let settings: ReturnType<typeof createLiveValue<typeof SETTINGS>>;
  let clock: ConnectionClock;

  beforeEach(() => {
    jest.useFakeTimers();
    expired = [];
    settings = createLiveValue(SETTINGS);
    clock = new ConnectionClock(0, settings, (expiry) => expired.push(expiry));
    clock.arm();
  });
  afterEach(() => {
    clock.stop();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const after = (ms: number): string[] => {
    jest.advanceTimersByTime(ms);
    return expired;
  };
  const bytes = (ended: boolean, begun: boolean): void => {
    clock.touch();
    clock.framed(ended, begun);
  };

  it('gives the handshake 10 s, or less where the first message has less', () => {
    expect(after(9_990)).toEqual([]);
    expect(after(20)).toEqual(['handshake_timeout']);
    settings.set({ ...SETTINGS, firstMessageTimeoutMs: 5_000 });
    const other = new ConnectionClock(3_000, settings, () => expired.push('other'));
    other.arm();
    expect(after(2_010)).toEqual(['handshake_timeout', 'other']);
    other.stop();
  });

  it('counts the time until the first message from the start, bytes or not', () => {
    after(5_000);
    clock.secured();
    clock.touch();
    expect(after(54_900)).toEqual([]);
    expect(after(200)).toEqual(['first_message_timeout']);
  });

  it('counts the idle time from the last byte', () => {
    clock.firstMessage();
    after(800_000);
    bytes(true, false);
    expect(after(899_900)).toEqual([]);
    expect(after(200)).toEqual(['idle']);
  });

  it('gives a message that has begun 30 s, however its bytes drip', () => {
    clock.firstMessage();
    bytes(true, true);
    for (let second = 0; second < 29; second += 1) {
      after(1_000);
      bytes(false, true);
    }
    expect(expired).toEqual([]);
    expect(after(1_100)).toEqual(['message_timeout']);
  });

  it('begins anew with each message', () => {
    clock.firstMessage();
    for (let second = 0; second < 100; second += 1) {
      after(1_000);
      bytes(second % 20 === 0, true);
    }
    bytes(true, false);
    expect(after(100_000)).toEqual([]);
  });

  it('does not count the time in which the gateway makes the peer wait', () => {
    clock.firstMessage();
    bytes(false, true);
    after(20_000);
    clock.suspend();
    expect(after(2_000_000)).toEqual([]);
    clock.resume();
    expect(after(9_900)).toEqual([]);
    expect(after(200)).toEqual(['message_timeout']);
  });

  it('gives a peer a second of silence after the end, and 5 s in all', () => {
    clock.firstMessage();
    clock.stopping();
    for (let n = 0; n < 9; n += 1) {
      after(500);
      bytes(true, false);
    }
    expect(expired).toEqual([]);
    expect(after(600)).toEqual(['stopping']);
  });

  it('closes a peer that is silent after the end', () => {
    clock.firstMessage();
    clock.stopping();
    expect(after(1_010)).toEqual(['stopping']);
  });
});
