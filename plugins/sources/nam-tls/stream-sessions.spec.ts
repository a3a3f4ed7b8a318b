import { describe, expect, it } from '@jest/globals';
import type { StreamClaims, DurableRanges, SequenceRange } from '@activity-gateway/pipeline/api';
import { StreamSessions, type StreamHolder } from './stream-sessions.js';

class Connection implements StreamHolder {
  ended = false;
  superseded = false;
  settle = (): void => undefined;
  readonly #settled = new Promise<void>((resolve) => (this.settle = resolve));

  supersede(): void {
    this.superseded = true;
    this.ended = true;
  }

  settled(): Promise<void> {
    return this.#settled;
  }
}

const durable: SequenceRange[] = [];
const marks: DurableRanges = { durable: () => Promise.resolve([...durable]) };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('StreamSessions', () => {
  it('gives a stream on when what the older connection brought is settled', async () => {
    const sessions = new StreamSessions(marks);
    const [older, newer] = [new Connection(), new Connection()];
    expect(await sessions.claim('s', older)).toEqual([]);
    let given: readonly SequenceRange[] | undefined;
    const claimed = sessions.claim('s', newer).then((ranges) => (given = ranges));
    await turn();
    expect([older.superseded, given]).toEqual([true, undefined]);
    durable.push({ first: 1, last: 5 });
    older.settle();
    await claimed;
    expect(given).toEqual([{ first: 1, last: 5 }]);
    durable.length = 0;
  });

  it('lets several wait, each for the one before', async () => {
    const sessions = new StreamSessions(marks);
    const connections = Array.from({ length: 4 }, () => new Connection());
    const order: number[] = [];
    const claims = connections.map(async (connection, index) => {
      await sessions.claim('s', connection);
      order.push(index);
    });
    for (const connection of connections) {
      await turn();
      connection.settle();
    }
    await Promise.all(claims);
    expect(order).toEqual([0, 1, 2, 3]);
    expect(connections.map(({ superseded }) => superseded)).toEqual([true, true, true, false]);
  });

  it('does not wait indefinitely, and leaves a stream alone that nobody waits for any more', async () => {
    const sessions = new StreamSessions(marks);
    const [older, late, newer] = [new Connection(), new Connection(), new Connection()];
    await sessions.claim('s', older);
    expect(await sessions.claim('s', late, 20)).toBeUndefined();
    late.ended = true;
    older.settle();
    expect(await sessions.claim('s', newer)).toEqual([]);
    expect(late.superseded).toBe(false);
  });

  it('keeps nothing of a connection that has ended and settled', async () => {
    const sessions = new StreamSessions(marks);
    const [first, second] = [new Connection(), new Connection()];
    await sessions.claim('s', first);
    const left = sessions.left('s', first);
    first.ended = true;
    first.settle();
    await left;
    await sessions.claim('s', second);
    expect(first.superseded).toBe(false);
  });

  it('asks the other processes, joins what they have, and gives streams up to them', async () => {
    let release: (stream: string) => Promise<readonly SequenceRange[] | undefined> = () =>
      Promise.resolve([]);
    let others: readonly SequenceRange[] | undefined = [{ first: 6, last: 9 }];
    const claims: StreamClaims = {
      claim: (_stream, granted) => void setImmediate(() => granted(others)),
      serve: (handler) => {
        release = handler;
      },
    };
    const sessions = new StreamSessions({ durable: () => Promise.resolve([{ first: 1, last: 5 }]) }, claims);
    const connection = new Connection();
    expect(await sessions.claim('s', connection)).toEqual([{ first: 1, last: 9 }]);
    const released = release('s');
    await turn();
    expect(connection.superseded).toBe(true);
    connection.settle();
    expect(await released).toEqual([{ first: 1, last: 5 }]);
    others = undefined;
    expect(await sessions.claim('s', new Connection())).toBeUndefined();
  });

  it('has taken a stream before another process can ask for it', async () => {
    let release: (stream: string) => Promise<readonly SequenceRange[] | undefined> = () =>
      Promise.resolve([]);
    const sessions = new StreamSessions(marks, {
      claim: (stream, granted) => {
        granted([]);
        void release(stream);
      },
      serve: (handler) => {
        release = handler;
      },
    });
    const connection = new Connection();
    await sessions.claim('s', connection);
    expect(connection.superseded).toBe(true);
  });
});
