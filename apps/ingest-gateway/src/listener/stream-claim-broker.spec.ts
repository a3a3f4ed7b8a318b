import { describe, expect, it } from '@jest/globals';
import type { SequenceRange } from '@activity-gateway/pipeline/api';
import { StreamClaimBroker, type StreamPeer } from './stream-claim-broker.js';

/** A reactor that answers when a test lets it. */
class Peer implements StreamPeer {
  asked = 0;
  answer: readonly SequenceRange[] | undefined = [];
  before: () => Promise<void> = () => Promise.resolve();

  async releaseStream(): Promise<readonly SequenceRange[] | undefined> {
    this.asked += 1;
    await this.before();
    return this.answer;
  }
}

const A = { first: 1, last: 5 };
const B = { first: 7, last: 9 };

function claim(
  broker: StreamClaimBroker,
  stream: string,
  by: StreamPeer,
): Promise<readonly SequenceRange[] | undefined> {
  return new Promise((resolve) => void broker.claim(stream, by, resolve));
}

describe('StreamClaimBroker', () => {
  it('asks all other reactors and gives what they hold', async () => {
    const [one, two, three] = [new Peer(), new Peer(), new Peer()];
    two.answer = [A];
    three.answer = [B];
    const broker = new StreamClaimBroker(() => [one, two, three].map((peer) => () => peer));
    expect(await claim(broker, 's', one)).toEqual([A, B]);
    expect([one, two, three].map(({ asked }) => asked)).toEqual([0, 1, 1]);
  });

  it('waits for a reactor that is being started, or cannot tell yet', async () => {
    const [one, two] = [new Peer(), new Peer()];
    let started: StreamPeer | undefined;
    two.answer = undefined;
    const broker = new StreamClaimBroker(() => [() => one, () => started]);
    const claimed = claim(broker, 's', one);
    setTimeout(() => (started = two), 60);
    setTimeout(() => (two.answer = [A]), 150);
    expect(await claimed).toEqual([A]);
    expect(two.asked).toBeGreaterThan(1);
  });

  it('says when it cannot be told in time, and serves the next claim', async () => {
    const [one, two] = [new Peer(), new Peer()];
    two.answer = undefined;
    const broker = new StreamClaimBroker(() => [() => one, () => two], 100);
    expect(await claim(broker, 's', one)).toBeUndefined();
    two.answer = [B];
    expect(await claim(broker, 's', one)).toEqual([B]);
  });

  it('grants a stream before it asks for it again, and other streams meanwhile', async () => {
    const [one, two] = [new Peer(), new Peer()];
    const events: string[] = [];
    let go = (): void => undefined;
    two.before = () => new Promise((resolve) => (go = resolve));
    one.before = async () => void events.push('one is asked');
    const broker = new StreamClaimBroker(() => [() => one, () => two]);
    const first = broker.claim('s', one, () => events.push('one has it'));
    const second = broker.claim('s', two, () => events.push('two has it'));
    await claim(broker, 't', two);
    expect(events).toEqual(['one is asked']);
    go();
    await Promise.all([first, second]);
    expect(events).toEqual(['one is asked', 'one has it', 'one is asked', 'two has it']);
  });
});
