import { afterEach, describe, expect, it } from '@jest/globals';
import { startControlPlane, type TestControlPlane } from '../../../../test/support/control-plane.js';
import { pollUntil } from '../../../../test/support/poll.js';

describe('DataPlaneHost', () => {
  let control: TestControlPlane;
  afterEach(() => control.dispose());

  const calls = (name: string): unknown[] =>
    control
      .plane()
      .calls.filter(([called]) => called === name)
      .map((call) => call[1]);

  it('passes on settings, each to the part that it acts on', async () => {
    control = await startControlPlane();
    await control.settings.set('activitymonitor_batch_size', 200);
    await pollUntil('the reactors to be told', () => calls('updateReactorSettings').length === 1);
    expect(calls('updateAcceptor')).toEqual([]);
    await control.settings.set('activitymonitor_max_connections', 50);
    await pollUntil('the acceptor to be told', () => calls('updateAcceptor').length === 1);
    expect(calls('updateAcceptor')).toEqual([
      { port: 0, maxConnections: 50, banDurationMs: 10_000, unidentifiedMs: 25_000 },
    ]);
    expect(calls('updateReactorSettings').at(-1)).toMatchObject({ flow: { batchSize: 200 } });
  });

  it('says so when a port cannot be bound, and goes on', async () => {
    control = await startControlPlane();
    control.plane().failAcceptor = new Error('port 514 is taken');
    await expect(control.settings.set('activitymonitor_tcp_port', 514)).rejects.toThrow('is taken');
    expect(control.logger.lines.some((line) => line.level === 'error')).toBe(true);
    expect(control.settings.get('activitymonitor_tcp_port')).toMatchObject({ value: 0, source: 'config' });
    expect(control.dataPlane.status().refusedPort).toMatchObject({ port: 514 });
    control.plane().failAcceptor = undefined;
    await control.settings.set('activitymonitor_tcp_port', 515);
    expect(calls('updateAcceptor').at(-1)).toMatchObject({ port: 515 });
    expect(control.dataPlane.status().refusedPort).toBeUndefined();
  });

  it('goes back to the port before when the new one cannot be stored', async () => {
    control = await startControlPlane();
    control.store.settings.set = () => Promise.reject(new Error('disk full'));
    await expect(control.settings.set('activitymonitor_tcp_port', 515)).rejects.toThrow('disk full');
    expect(calls('updateAcceptor').map((each) => (each as { port: number }).port)).toEqual([515, 0]);
    expect(control.settings.snapshot.current.activitymonitor_tcp_port).toBe(0);
  });

  it('passes on where ClickHouse is', async () => {
    control = await startControlPlane();
    expect(control.plane().options.endpoints).toMatchObject({ clickhouse: { database: 'activity' } });
    control.clickhouse.endpoint.set(undefined);
    expect(calls('updateEndpoints')).toEqual([{}]);
  });

  it('gives every start of a reactor an epoch of its own that sorts as text', async () => {
    control = await startControlPlane();
    const { handlers } = control.plane().options;
    expect(await Promise.all([1, 2, 3].map(() => handlers.nextEpoch()))).toEqual([
      '0000000001',
      '0000000002',
      '0000000003',
    ]);
  });

  it('lets the data plane pause while ingestion is off, from the start or later', async () => {
    control = await startControlPlane({ enable_activitymonitor_ingestion: false });
    const off = { state: 'stopped', port: 0, reason: expect.stringContaining('is false') };
    expect(control.dataPlane.status()).toMatchObject(off);
    await control.settings.set('enable_activitymonitor_ingestion', true);
    await pollUntil('the listener', () => control.dataPlane.status().state === 'listening');
    await control.settings.set('enable_activitymonitor_ingestion', false);
    await control.dataPlane.idle();
    expect(control.dataPlane.status()).toMatchObject(off);
    expect(control.plane().calls.map(([name]) => name)).toEqual([
      'start',
      'updateReactorSettings',
      'resume',
      'updateReactorSettings',
      'pause',
    ]);
  });

  it('changes nothing any more once it is stopped', async () => {
    control = await startControlPlane({ enable_activitymonitor_ingestion: false });
    const switching = control.settings.set('enable_activitymonitor_ingestion', true);
    const stopping = control.dataPlane.stop(0);
    await Promise.all([switching, stopping]);
    await control.settings.set('activitymonitor_batch_size', 50);
    await control.dataPlane.stop(0);
    expect(control.planes).toHaveLength(1);
    expect(control.plane().calls.map(([name]) => name)).not.toContain('resume');
  });
});
