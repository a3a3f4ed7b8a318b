import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { startControlPlane, type TestControlPlane } from '../../../../test/support/control-plane.js';
import { mergeMetrics } from './merge-metrics.js';

async function reactorMetrics(count: number): Promise<never> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Counter({ name: 'events_total', help: 'h', labelNames: ['type'], registers: [registry] }).inc(
    { type: 'a"b\\' },
    count,
  );
  const seconds = new Histogram({ name: 'write_seconds', help: 'h', buckets: [1, 2], registers: [registry] });
  seconds.observe(1.5);
  // As it comes over IPC.
  return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as never;
}

describe('mergeMetrics', () => {
  it('sums up reactors and keeps the control plane apart', async () => {
    const control = await reactorMetrics(1);
    const text = await mergeMetrics(control, [await reactorMetrics(2), await reactorMetrics(3)]);
    expect(text).toContain('events_total{type="a\\"b\\\\",process="control"} 1');
    expect(text).toContain('events_total{type="a\\"b\\\\",process="reactor"} 5');
    expect(text).toContain('write_seconds_bucket{le="2",process="reactor"} 2');
    expect(text).toContain('write_seconds_count{process="reactor"} 2');
    expect(text.match(/^# TYPE events_total counter$/gm)).toHaveLength(1);
    expect(text).toMatch(/process_resident_memory_bytes\{process="reactor"\} \d+/);
  });

  it('works without a reactor, and takes a lone one as it is', async () => {
    const control = await reactorMetrics(1);
    expect(await mergeMetrics(control, [])).not.toContain('process="reactor"');
    expect(await mergeMetrics(control, [control])).toContain('process_start_time_seconds{process="reactor"}');
  });
});

describe('GET /metrics', () => {
  let control: TestControlPlane;
  beforeEach(async () => {
    control = await startControlPlane();
  });
  afterEach(() => control.dispose());

  it('is collected once for many who ask at once', async () => {
    let asked = 0;
    control.plane().collectMetrics = async () => ((asked += 1), []);
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${control.httpUrl}/metrics`)));
    expect(asked).toBeLessThan(20);
    expect(asked).toBeGreaterThan(0);
  });

  it('needs no key and tells of both planes', async () => {
    await control.agents.add('a'.repeat(64), 'FS-1');
    await control.rest('GET', '/api/v1/nam-listener/agents');
    await control.rest('GET', '/who/knows/what');
    control.plane().metrics = [await reactorMetrics(7)];
    const response = await fetch(`${control.httpUrl}/metrics`);
    const text = await response.text();
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(text).toContain('gateway_agents_allowlisted{process="control"} 1');
    expect(text).toContain('gateway_listener_up{process="control"} 1');
    expect(text).toContain('gateway_clickhouse_up{process="control"} 1');
    expect(text).toContain('gateway_store_up{process="control"} 1');
    expect(text).toContain('process="reactor"} 7');
    expect(text).toContain(
      'gateway_http_requests_total{method="GET",route="/api/v1/nam-listener/agents",status="200",process="control"} 1',
    );
    expect(text).not.toContain('/who/knows');
  });

  it.each([
    [{}, 0],
    [{ retention: [{ table: 'file_events', currentDays: 400, configuredDays: 30, rows: 1 }] }, 1],
  ])('says of a degraded ClickHouse whether it can be used: %j', async (status, up) => {
    control.clickhouse.state = { ...control.clickhouse.state, state: 'degraded', ...status };
    const text = await (await fetch(`${control.httpUrl}/metrics`)).text();
    expect(text).toContain(`gateway_clickhouse_up{process="control"} ${up}\n`);
  });
});
