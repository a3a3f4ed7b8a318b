import { describe, expect, it } from '@jest/globals';
import { SinkHealth } from './sink-health.js';
import { InstanceStatusTracker } from './status.js';

function board() {
  const clock = { now: 1_000 };
  return { clock, board: new InstanceStatusTracker('p/sink', 'sinks.x', () => clock.now) };
}

describe('InstanceStatusTracker', () => {
  it('goes from starting to ok to stopped, and says since when', () => {
    const { board: b, clock } = board();
    expect(b.status()).toEqual({ id: 'p/sink', plugin: 'sinks.x', state: 'starting', since: 1_000 });
    clock.now = 2_000;
    b.enter('running');
    expect(b.status()).toEqual({ id: 'p/sink', plugin: 'sinks.x', state: 'ok', since: 2_000 });
    clock.now = 3_000;
    b.reportOwn({ state: 'ok' });
    expect(b.status().since).toBe(2_000);
    b.enter('stopping');
    b.enter('stopped');
    expect(b.status()).toMatchObject({ state: 'stopped', since: 3_000 });
  });

  it('shows the worse of what the instance and the host say', () => {
    const { board: b } = board();
    b.enter('running');
    b.reportHost({ state: 'degraded', reason: 'busy' });
    expect(b.status()).toMatchObject({ state: 'degraded', reason: 'busy' });
    b.reportOwn({ state: 'failed', reason: 'no password' });
    expect(b.status()).toMatchObject({ state: 'failed', reason: 'no password' });
    b.reportOwn({ state: 'ok' });
    b.reportHost({ state: 'ok' });
    expect(b.status()).toMatchObject({ state: 'ok' });
    expect(b.status()).not.toHaveProperty('reason');
  });

  it('shows what was reported during the start once it runs', () => {
    const { board: b } = board();
    b.reportOwn({ state: 'failed', reason: 'no certificate' });
    expect(b.status().state).toBe('starting');
    b.enter('running');
    expect(b.status()).toMatchObject({ state: 'failed', reason: 'no certificate' });
  });
});

describe('SinkHealth', () => {
  it('shows the worst of the deliveries that fail', () => {
    const { board: b } = board();
    b.enter('running');
    const health = new SinkHealth(b);
    expect(health.failing('one', { state: 'degraded', reason: 'busy' })).toBe(true);
    expect(health.failing('one', { state: 'degraded', reason: 'busy' })).toBe(false);
    health.failing('two', { state: 'failed', reason: 'missing' });
    health.failing('three', { state: 'degraded', reason: 'busy' });
    expect(b.status()).toMatchObject({ state: 'failed', reason: 'missing' });
    expect(health.ended('two')).toBe(true);
    expect(b.status()).toMatchObject({ state: 'degraded' });
    health.ended('one');
    health.ended('three');
    expect(health.ended('four')).toBe(false);
    expect(b.status().state).toBe('ok');
  });
});
