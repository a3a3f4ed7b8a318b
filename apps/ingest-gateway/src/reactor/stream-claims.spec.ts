import { describe, expect, it } from '@jest/globals';
import type { SequenceRange } from '@activity-gateway/pipeline/api';
import { ReactorStreamClaims } from './stream-claims.js';

describe('ReactorStreamClaims', () => {
  it('grants a claim in the moment that its answer comes, and none when that cannot be told', () => {
    const asked: { name: string; question: unknown; done: (answer: never) => void }[] = [];
    const claims = new ReactorStreamClaims({
      ask: (name, question, done) => void asked.push({ name, question, done }),
    });
    const granted: (readonly SequenceRange[] | undefined)[] = [];
    claims.claim('a/s', (durable) => granted.push(durable));
    expect(asked).toMatchObject([{ name: 'claim-stream', question: 'a/s' }]);
    asked[0]!.done([{ first: 1, last: 2 }] as never);
    expect(granted).toEqual([[{ first: 1, last: 2 }]]);
    claims.claim('a/s', (durable) => granted.push(durable));
    asked[1]!.done(null as never);
    expect(granted).toHaveLength(2);
    expect(granted[1]).toBeUndefined();
  });

  it('tells nothing before the pipelines run, then what is durable', async () => {
    const claims = new ReactorStreamClaims({ ask: () => undefined });
    const told = [await claims.release('a/s')];
    claims.opened();
    told.push(await claims.release('a/s'));
    claims.serve(async () => [{ first: 1, last: 2 }]);
    told.push(await claims.release('a/s'));
    claims.serve(() => Promise.reject(new Error('cannot be read')));
    told.push(await claims.release('a/s'));
    expect(told).toEqual([null, [], [{ first: 1, last: 2 }], null]);
  });
});
