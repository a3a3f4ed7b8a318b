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
    expect(calls('updateAcceptor')).toEqual([{ port: 0, maxConnections: 50, banDurationMs: 10_000 }]);
    expect(calls('updateReactorSettings').at(-1)).toMatchObject({ flow: { batchSize: 200 } });
  });

  it('says so when a port cannot be bound, and goes on', async () => {
    control = await startControlPlane();
    control.plane().failAcceptor = new Error('port 514 is taken');
    await control.settings.set('activitymonitor_tcp_port', 514);
    await pollUntil('the error', () => control.logger.lines.some((line) => line.level === 'error'));
    control.plane().failAcceptor = undefined;
    await control.settings.set('activitymonitor_tcp_port', 515);
    await pollUntil('the next port', () => calls('updateAcceptor').length === 2);
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

  it('serves no agent while ingestion is off, drains when it is switched off, and starts anew', async () => {
    control = await startControlPlane({ enable_activitymonitor_ingestion: false });
    expect(control.planes).toEqual([]);
    expect(control.dataPlane.status()).toMatchObject({ state: 'stopped', port: 0 });
    await control.settings.set('enable_activitymonitor_ingestion', true);
    await pollUntil('the listener', () => control.dataPlane.status().state === 'listening');
    const first = control.plane();
    await control.settings.set('enable_activitymonitor_ingestion', false);
    await pollUntil('the end', () => control.dataPlane.status().reason?.includes('is false'));
    expect(Number(first.calls.at(-1)?.[1]) - Date.now()).toBeGreaterThan(290_000);
    await control.settings.set('enable_activitymonitor_ingestion', true);
    await pollUntil('another listener', () => control.planes.length === 2);
  });

  it('starts nothing any more once it is stopped', async () => {
    control = await startControlPlane({ enable_activitymonitor_ingestion: false });
    const switching = control.settings.set('enable_activitymonitor_ingestion', true);
    const stopping = control.dataPlane.stop(0);
    await Promise.all([switching, stopping]);
    await control.settings.set('activitymonitor_batch_size', 50);
    await control.dataPlane.stop(0);
    expect(control.planes).toEqual([]);
    expect(control.dataPlane.connectedAgents().size).toBe(0);
  });
});
