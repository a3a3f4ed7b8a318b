import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../../../test/support/source-rig.js';
import { AckSender } from './ack-sender.js';

/** A peer that takes a line only when it is told to. */
class SlowPeer extends Writable {
  readonly lines: string[] = [];
  take = true;
  #held: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.lines.push(chunk.toString());
    if (this.take) done();
    else this.#held = done;
  }

  release(): void {
    this.take = true;
    this.#held?.();
  }

  get numbers(): number[] {
    return this.lines.map((line) => (JSON.parse(line) as { Messages: number }).Messages);
  }
}

let sender: AckSender;
afterEach(() => sender.stop());

function make(peer: SlowPeer, intervalMs = 50, unreadMs = 5_000): { unread: number } {
  const seen = { unread: 0 };
  sender = new AckSender(peer, {
    intervalMs: () => intervalMs,
    unreadMs,
    onSent: () => undefined,
    onUnread: () => (seen.unread += 1),
  });
  return seen;
}

describe('AckSender', () => {
  it('sends the first number at once, then the latest one an interval', async () => {
    const peer = new SlowPeer();
    make(peer, 60);
    sender.report(1);
    expect(peer.numbers).toEqual([1]);
    const began = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        sender.report(Math.round(performance.now() - began) + 2);
        if (performance.now() - began < 400) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
    await until(() => sender.idle, 'the last number');
    // 400 ms and a last one; timers may be late on a busy machine, never early.
    expect(peer.lines.length).toBeLessThanOrEqual(9);
    expect(peer.lines.length).toBeGreaterThan(2);
    expect(peer.numbers).toEqual([...peer.numbers].sort((a, b) => a - b));
  });

  it('sends what is left at once when the connection ends', async () => {
    const peer = new SlowPeer();
    make(peer, 60_000);
    sender.report(1);
    await until(() => sender.idle, 'the first number');
    sender.report(2);
    expect(peer.numbers).toEqual([1]);
    sender.flush();
    expect(peer.numbers).toEqual([1, 2]);
  });

  it('holds one line for a peer that does not read, and gives up on it', async () => {
    const peer = new SlowPeer();
    peer.take = false;
    const seen = make(peer, 0, 80);
    for (let n = 1; n <= 100_000; n += 1) sender.report(n);
    expect(peer.lines).toHaveLength(1);
    expect(peer.writableLength).toBeLessThan(100);
    await until(() => seen.unread === 1, 'giving up');
    sender.report(100_001);
    peer.release();
    expect(peer.numbers).toEqual([1]);
  });

  it('tells a peer that reads again the latest number, not those between', async () => {
    const peer = new SlowPeer();
    peer.take = false;
    make(peer, 0);
    for (let n = 1; n <= 1_000; n += 1) sender.report(n);
    peer.release();
    await until(() => sender.idle, 'the latest number');
    expect(peer.numbers).toEqual([1, 1_000]);
  });
});
