import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { startControlPlane, type TestControlPlane } from '../../../../test/support/control-plane.js';
import { numberSettings } from '../settings/index.js';

const SETTINGS = '/api/v1/settings';
const FLAG = '/api/v1/feature-flags/enable_activitymonitor_ingestion';
const SIZE = `${SETTINGS}/activitymonitor_batch_size`;
const PORT = `${SETTINGS}/activitymonitor_tcp_port`;

describe('the REST API for settings', () => {
  let control: TestControlPlane;
  beforeEach(async () => {
    control = await startControlPlane({ activitymonitor_connection_timeout: 60 });
  });
  afterEach(() => control.dispose());

  it('lists all 14 with value, default, range and where the value comes from', async () => {
    await control.rest('PUT', SIZE, { value: 200 });
    const { status, body } = await control.rest('GET', SETTINGS);
    expect(status).toBe(200);
    const settings = body as { key: string }[];
    expect(settings.map((each) => each.key)).toEqual(Object.keys(numberSettings));
    expect(settings).toHaveLength(14);
    expect(settings).toContainEqual({
      key: 'activitymonitor_batch_size',
      value: 200,
      default: 100,
      min: 10,
      max: 1_000,
      unit: 'events',
      description: expect.any(String),
      overridden: true,
      source: 'store',
    });
    expect(settings).toContainEqual(
      expect.objectContaining({ key: 'activitymonitor_connection_timeout', value: 60, source: 'config' }),
    );
    expect(settings).toContainEqual(
      expect.objectContaining({
        key: 'activitymonitor_buffer_threads',
        overridden: false,
        source: 'default',
      }),
    );
  });

  it('sets, shows and resets one', async () => {
    const set = await control.rest('PUT', SIZE, { value: 1_000 });
    expect([set.status, set.body]).toEqual([200, expect.objectContaining({ value: 1_000, source: 'store' })]);
    expect((await control.rest('GET', SIZE)).body).toEqual(set.body);
    expect(control.plane().calls).toContainEqual([
      'updateReactorSettings',
      expect.objectContaining({ flow: expect.objectContaining({ batchSize: 1_000 }) }),
    ]);
    const reset = await control.rest('DELETE', SIZE);
    expect([reset.status, reset.body]).toEqual([
      200,
      expect.objectContaining({ value: 100, overridden: false }),
    ]);
    expect((await control.rest('DELETE', SIZE)).status).toBe(200);
  });

  it('calls overridden what is not the default, wherever it comes from', async () => {
    const size = async (value: number): Promise<unknown> => (await control.rest('PUT', SIZE, { value })).body;
    expect(await size(100)).toMatchObject({ overridden: false, source: 'store' });
    expect(await size(101)).toMatchObject({ overridden: true, source: 'store' });
    const timeout = await control.rest('GET', `${SETTINGS}/activitymonitor_connection_timeout`);
    expect(timeout.body).toMatchObject({ overridden: true, source: 'config' });
    expect((await control.rest('PUT', FLAG, { value: true })).body).toMatchObject({ overridden: false });
  });

  it.each(Object.entries(numberSettings))('holds %s to its range', async (key, { minimum, maximum }) => {
    for (const value of [minimum - 1, maximum + 1, minimum + 0.5, String(minimum), true, null, [], {}]) {
      const answer = await control.rest('PUT', `${SETTINGS}/${key}`, { value });
      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({
        code: 'SETTING_INVALID',
        detail: expect.stringContaining(`${minimum} to ${maximum}`),
      });
    }
    expect(control.settings.get(key).source).not.toBe('store');
  });

  it.each([
    ['PUT', '/activitymonitor_batchsize', { value: 1 }, 404, '"activitymonitor_batch_size"'],
    ['GET', '/activitymonitor_batchsize', undefined, 404, '"activitymonitor_batch_size"'],
    ['DELETE', `/${'x'.repeat(1_000)}`, undefined, 404, 'The nearest name is'],
    ['PUT', '/constructor', { value: 1 }, 404, 'The nearest name is'],
    ['GET', '/enable_activitymonitor_ingestion', undefined, 404, '/api/v1/feature-flags/'],
    ['PUT', '/activitymonitor_batch_size', {}, 400, '"value" is missing'],
    ['PUT', '/activitymonitor_batch_size', { value: 100, unit: 's' }, 400, '"unit" is not known'],
    ['PUT', '/activitymonitor_batch_size', '200', 400, 'must be object'],
  ])('answers %s %s with a clear problem', async (method, path, body, status, detail) => {
    const answer = await control.rest(method, SETTINGS + path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ detail: expect.stringContaining(detail) });
  });

  it('keeps the port, and says so, when the new one cannot be bound', async () => {
    const reason = 'Cannot listen on 0.0.0.0:514: another process uses it (EADDRINUSE).';
    control.plane().failAcceptor = new GatewayError('LISTENER_BIND_FAILED', reason, 'Choose another port.');
    const refused = await control.rest('PUT', PORT, { value: 514 });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      code: 'LISTENER_BIND_FAILED',
      detail: `${reason} Choose another port.`,
    });
    expect((await control.rest('GET', PORT)).body).toMatchObject({ value: 0, source: 'config' });
    expect((await control.rest('GET', '/api/v1/nam-listener/status')).body).toMatchObject({
      listener: { refusedPort: { port: 514, reason, at: expect.stringMatching(/Z$/) } },
    });
    control.plane().failAcceptor = undefined;
    expect((await control.rest('PUT', PORT, { value: 515 })).status).toBe(200);
  });

  it('switches ingestion off and on', async () => {
    expect((await control.rest('GET', '/api/v1/feature-flags')).body).toEqual([
      {
        key: 'enable_activitymonitor_ingestion',
        value: true,
        default: true,
        description: expect.any(String),
        overridden: false,
        source: 'default',
      },
    ]);
    const off = await control.rest('PUT', FLAG, { value: false });
    expect([off.status, off.body]).toEqual([200, expect.objectContaining({ value: false, source: 'store' })]);
    expect(control.dataPlane.status()).toMatchObject({ state: 'stopped', port: 0 });
    expect((await control.rest('PUT', FLAG, { value: true })).status).toBe(200);
    expect(control.dataPlane.status().state).toBe('listening');
    expect((await control.rest('DELETE', FLAG)).body).toMatchObject({ value: true, overridden: false });
    const wrong = await control.rest('PUT', FLAG, { value: 'false' });
    expect([wrong.status, wrong.body]).toEqual([422, expect.objectContaining({ code: 'SETTING_INVALID' })]);
    expect((await control.rest('GET', '/api/v1/feature-flags/activitymonitor_tcp_port')).status).toBe(404);
  });
});
