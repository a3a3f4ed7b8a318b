import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { testBatch } from '../testing/index.js';
import { createPipelineHarness } from '../testing/pipeline-harness.js';
import { createPipeline } from '../runtime/index.js';
import { createMetrics, RUNTIME_METRICS, type MetricDefinition } from './index.js';

const definitions: readonly MetricDefinition[] = Object.values(RUNTIME_METRICS);

describe('createMetrics', () => {
  it('keeps what it is told, by labels', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry);
    const counter = metrics.counter('gateway_things_total', 'Things.', ['kind']);
    counter.add(2, { kind: 'a' });
    counter.add(3, { kind: 'a' });
    counter.add(1, { kind: 'b' });
    metrics.gauge('gateway_level', 'Level.').set(7);
    metrics.histogram('gateway_wait_seconds', 'Wait.', [1, 2]).observe(1.5);
    const text = await registry.metrics();
    expect(text).toContain('# HELP gateway_things_total Things.');
    expect(text).toContain('gateway_things_total{kind="a"} 5');
    expect(text).toContain('gateway_things_total{kind="b"} 1');
    expect(text).toContain('gateway_level 7');
    expect(text).toContain('gateway_wait_seconds_bucket{le="1"} 0');
    expect(text).toContain('gateway_wait_seconds_bucket{le="2"} 1');
  });

  it('gives the same instrument for the same name', async () => {
    const registry = new Registry();
    const metrics = createMetrics(registry);
    metrics.counter('gateway_things_total', 'Things.').add(1);
    metrics.counter('gateway_things_total', 'Things.').add(1);
    expect(await registry.metrics()).toContain('gateway_things_total 2');
  });

  it('refuses a name that is there as something else', () => {
    const metrics = createMetrics(new Registry());
    metrics.counter('gateway_things_total', 'Things.', ['kind']);
    expect(() => metrics.gauge('gateway_things_total', 'Things.', ['kind'])).toThrow('gateway_things_total');
    expect(() => metrics.counter('gateway_things_total', 'Things.')).toThrow('other labels');
  });
});

describe('RUNTIME_METRICS', () => {
  it('are exactly what a pipeline registers, with help, labels and names that say the unit', async () => {
    const registry = new Registry();
    const { options, source } = createPipelineHarness({ settings: { batchIntervalMs: 5 } });
    const pipeline = createPipeline({ ...options, metrics: createMetrics(registry) });
    await pipeline.start(new AbortController().signal);
    await source.emit(testBatch([1, -2]));
    await pipeline.drain(Date.now() + 2_000);
    const registered = await registry.getMetricsAsJSON();
    expect(registered.map(({ name }) => name).sort()).toEqual(definitions.map(({ name }) => name).sort());
    for (const { name, help, values } of registered) {
      const definition = definitions.find((each) => each.name === name)!;
      expect(help).toBe(definition.help);
      for (const { labels } of values) {
        const names = Object.keys(labels).filter((label) => label !== 'le');
        expect(names.sort()).toEqual([...definition.labels].sort());
      }
    }
  });

  it('have names as Prometheus wants them', () => {
    for (const { name, kind, help, labels } of definitions) {
      expect(name).toMatch(/^gateway_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(kind === 'counter');
      expect(help).toMatch(/^\w.*\.$/);
      expect(labels).toContain('pipeline');
    }
  });
});
