import { describe, expect, it } from '@jest/globals';
import type { SequenceRange } from '@activity-gateway/pipeline/api';
import type { FromReactor } from './messages.js';
import { StreamClaimRequests } from './stream-claim-requests.js';

function make(timeoutMs?: number): { claims: StreamClaimRequests; sent: FromReactor[] } {
  const sent: FromReactor[] = [];
  const port = {
    send: (message: FromReactor) => void sent.push(message),
    onMessage: () => undefined,
    onLost: () => undefined,
    flushed: async () => undefined,
  };
  return { claims: new StreamClaimRequests(port, timeoutMs), sent };
}

describe('StreamClaimRequests', () => {
  it('grants a claim in the moment that its answer comes, once', () => {
    const { claims, sent } = make();
    const granted: (readonly SequenceRange[] | undefined)[] = [];
    claims.claim('a/s', (durable) => granted.push(durable));
    expect(sent).toEqual([{ type: 'claim-stream', requestId: 1, stream: 'a/s' }]);
    claims.claimed(1, [{ first: 1, last: 2 }]);
    claims.claimed(1, []);
    expect(granted).toEqual([[{ first: 1, last: 2 }]]);
    claims.claim('a/s', (durable) => granted.push(durable));
    claims.claimed(2, null);
    expect(granted).toHaveLength(2);
    expect(granted[1]).toBeUndefined();
  });

  it('gives up a claim that is not answered', async () => {
    const { claims } = make(20);
    const durable = await new Promise((resolve) => claims.claim('a/s', resolve));
    expect(durable).toBeUndefined();
  });

  it('tells nothing before the pipelines run, then what is durable', async () => {
    const { claims, sent } = make();
    await claims.release(1, 'a/s');
    claims.opened();
    await claims.release(2, 'a/s');
    claims.serve(async () => [{ first: 1, last: 2 }]);
    await claims.release(3, 'a/s');
    claims.serve(() => Promise.reject(new Error('cannot be read')));
    await claims.release(4, 'a/s');
    expect(sent.map((message) => (message.type === 'stream-released' ? message.durable : undefined))).toEqual(
      [null, [], [{ first: 1, last: 2 }], null],
    );
  });
});
