import { describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Registry } from 'prom-client';
import { EndedReactors } from './ended-reactors.js';

const counts = (received: number, type: string, kept = 0): object => ({
  received: received + kept,
  receivedBytes: received * 10,
  delivered: received,
  deadLettered: 0,
  dropped: 0,
  inFlight: kept,
  recovered: 1,
  deliveredByType: { [type]: received },
  deadLettersByCode: {},
});

async function metrics(value: number): Promise<readonly object[]> {
  const registry = new Registry();
  new Counter({ name: 'events_total', help: 'h', registers: [registry] }).inc(value);
  new Gauge({ name: 'open', help: 'h', registers: [registry] }).set(value);
  return registry.getMetricsAsJSON();
}

describe('EndedReactors', () => {
  it('adds up what pipelines of drained reactors counted', () => {
    const ended = new EndedReactors();
    const one = (received: number, type: string, drained = true): never =>
      ({ drained, status: { pipelines: [{ name: 'p', counts: counts(received, type) }] } }) as never;
    ended.add(one(2, 'file'));
    ended.add(one(3, 'leef'));
    ended.add(one(100, 'file', false));
    expect(ended.pipelines()).toEqual([
      {
        name: 'p',
        counts: expect.objectContaining({
          received: 5,
          receivedBytes: 50,
          recovered: 2,
          deliveredByType: { file: 2, leef: 3 },
        }),
      },
    ]);
  });

  it('leaves what stayed in the spool to the one that writes it', () => {
    const ended = new EndedReactors();
    const status = { pipelines: [{ name: 'p', counts: counts(2, 'file', 7) }] };
    ended.add({ drained: true, status } as never);
    expect(ended.pipelines()[0]?.counts).toMatchObject({ received: 2, delivered: 2, inFlight: 0 });
  });

  it('goes on counting where a process ended, and forgets its gauges', async () => {
    const ended = new EndedReactors();
    expect(await ended.metrics()).toEqual([]);
    for (const value of [1, 2, 3]) ended.add({ drained: false, lastMetrics: await metrics(value) } as never);
    for (let n = 0; n < 2; n += 1) {
      expect(await ended.metrics()).toEqual([
        expect.objectContaining({ name: 'events_total', values: [expect.objectContaining({ value: 6 })] }),
      ]);
    }
  });
});
