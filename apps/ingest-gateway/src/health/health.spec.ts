import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Readiness } from './health.service.js';
import { startControlPlane, type TestControlPlane } from '../../../../test/support/control-plane.js';

describe('health', () => {
  let control: TestControlPlane;
  beforeEach(async () => {
    control = await startControlPlane();
  });
  afterEach(() => control.dispose());

  const ready = async (): Promise<{ status: number; body: Readiness }> => {
    const response = await fetch(`${control.httpUrl}/health/ready`);
    return { status: response.status, body: (await response.json()) as Readiness };
  };

  it('needs no key', async () => {
    const live = await fetch(`${control.httpUrl}/health/live`);
    expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    const ok = { status: 'ok' };
    expect(await ready()).toEqual({
      status: 200,
      body: {
        status: 'ok',
        components: { store: ok, clickhouse: ok, listener: ok, reactors: ok, pipelines: ok, deadLetters: ok },
      },
    });
  });

  it('is ready but degraded while ClickHouse is down', async () => {
    control.clickhouse.state = {
      ...control.clickhouse.state,
      state: 'degraded',
      reason: 'connection refused',
    };
    const { status, body } = await ready();
    expect([status, body.status]).toEqual([200, 'degraded']);
    expect(body.components.clickhouse).toEqual({ status: 'degraded', reason: 'connection refused' });
  });

  it('is ready but degraded while a sink waits for a person', async () => {
    const instances = [{ id: 'activity/clickhouse', state: 'failed', reason: 'wrong password' }];
    const status = { pipelines: [{ instances }] };
    const plane = control.plane();
    plane.state = { ...plane.state, reactors: [{ state: 'ready', restarts: 0, status }] } as never;
    const { status: code, body } = await ready();
    expect(code).toBe(200);
    expect(body.components.pipelines.reason).toBe('activity/clickhouse is failed: wrong password');
  });

  it('is ready but degraded while agents are turned away at a limit, and says which', async () => {
    const plane = control.plane();
    const reached = { refused: 3, at: Date.now() };
    plane.state = {
      ...plane.state,
      limitsReached: [
        { ...reached, limit: 'connections', max: 100 },
        { ...reached, limit: 'key', max: 8, key: 'abc' },
      ],
    };
    const { status, body } = await ready();
    expect([status, body.status, body.components.listener.status]).toEqual([200, 'degraded', 'degraded']);
    expect(body.components.listener.reason).toContain('all 100 of activitymonitor_max_connections');
    expect(body.components.listener.reason).toContain('the key abc were closed');
    expect(body.components.listener.reason).toContain('all 8 of listener.max_connections_per_key');
  });

  it.each<[keyof Readiness['components'], object, string]>([
    ['listener', { state: 'failed', reason: 'the certificate has expired' }, 'certificate has expired'],
    ['reactors', { reactors: [{ state: 'failed', restarts: 3, reason: 'bad pipeline' }] }, 'bad pipeline'],
    ['reactors', { reactors: [] }, '0 of 0'],
  ])('is not ready when no agent can be served because of the %s', async (component, change, reason) => {
    const plane = control.plane();
    plane.state = { ...plane.state, ...change };
    const { status, body } = await ready();
    expect([status, body.status]).toEqual([503, 'failed']);
    expect(body.components[component]).toEqual({ status: 'failed', reason: expect.stringContaining(reason) });
  });

  it('is disabled, not failed, while ingestion is switched off; says so when the store is gone', async () => {
    await control.settings.set('enable_activitymonitor_ingestion', false);
    const off = await ready();
    expect([off.status, off.body.status]).toEqual([503, 'disabled']);
    expect(Object.values(off.body.components).map(({ status }) => status)).not.toContain('failed');
    expect(off.body.components.listener.reason).toContain('enable_activitymonitor_ingestion');
    await control.store.close();
    expect((await ready()).body.components.store.status).toBe('failed');
  });
});
