import { describe, expect, it } from '@jest/globals';
import {
  API_VERSION,
  deadLetters,
  definePlugin,
  GatewayError,
  type PluginContext,
  type PluginDefinition,
} from '../api/index.js';
import { encodeOnly } from '../helpers/index.js';
import type { PipelineSpec } from '../config/index.js';
import { PluginRegistry } from '../registry/index.js';
import { alphaEvents, betaEvents } from '../testing/index.js';
import { createPipelineHarness } from '../testing/pipeline-harness.js';
import { createInstances } from './instances.js';

function withSpec(change: Partial<PipelineSpec>) {
  const { options } = createPipelineHarness();
  return { ...options, spec: { ...options.spec, ...change } };
}

describe('createInstances', () => {
  it.each<[string, Partial<PipelineSpec>, string, string]>([
    [
      'an unknown plugin',
      { source: { name: 's', use: 'sources.fax', with: {} } },
      'PLUGIN_UNKNOWN',
      'The pipeline test uses the plugin "sources.fax", which does not exist.',
    ],
    [
      'a plugin of another kind',
      { steps: [{ name: 's', use: 'sinks.main', with: {} }] },
      'PLUGIN_KIND_WRONG',
      'The pipeline test uses sinks.main as a parser, but it is a sink.',
    ],
    [
      'an unknown sink for dead letters',
      { deadLetters: 'nowhere' },
      'PIPELINE_SINK_UNKNOWN',
      'The pipeline test sends dead letters to "nowhere", which is none of its sinks.',
    ],
  ])('refuses %s', (_, change, code, message) => {
    expect(() => createInstances(withSpec(change))).toThrow(expect.objectContaining({ code, message }));
  });

  it('gives each instance its id, a named logger and all event types, and its own options', () => {
    const { options, logger } = createPipelineHarness();
    const seen: { config: unknown; context: PluginContext }[] = [];
    const sink = definePlugin({
      id: 'sinks.spy',
      kind: 'sink',
      apiVersion: API_VERSION,
      stability: 'development',
      summary: 'For tests.',
      configSchema: {},
      create: (config: unknown, context: PluginContext) => {
        seen.push({ config, context });
        return {
          open: ({ name }) => encodeOnly(name, () => new Uint8Array()),
          write: async () => undefined,
        };
      },
    });
    const registry = withPlugin(options.registry, sink);
    const spec = { ...options.spec, deadLetters: 'spy' };
    createInstances({
      ...options,
      registry,
      spec: { ...spec, sinks: [{ name: 'spy', use: sink.id, with: { a: 1 } }] },
    });
    expect(seen[0]!.config).toEqual({ a: 1 });
    const { context } = seen[0]!;
    expect(context.id).toBe('test/spy');
    expect(context.eventTypes).toEqual([alphaEvents, betaEvents, deadLetters]);
    context.logger.info({}, 'hello');
    expect(logger.lines[0]!.fields).toEqual({ component: 'test/spy' });
  });

  it('gives each instance the services that its plugin requires, and no others', () => {
    const { options } = createPipelineHarness();
    const seen: object[] = [];
    const spy = <Needs extends string>(requires: readonly Needs[], services: object = {}): void => {
      const sink = definePlugin<unknown, Needs>({
        id: 'sinks.spy',
        kind: 'sink',
        apiVersion: API_VERSION,
        stability: 'development',
        summary: 'For tests.',
        configSchema: {},
        requires,
        create: (_config, context) => {
          seen.push(context.services);
          return {
            open: ({ name }) => encodeOnly(name, () => new Uint8Array()),
            write: async () => undefined,
          };
        },
      });
      createInstances({
        ...options,
        services: { ...options.services, ...services },
        registry: withPlugin(options.registry, sink),
        spec: { ...options.spec, deadLetters: 'spy', sinks: [{ name: 'spy', use: sink.id, with: {} }] },
      });
    };
    spy([]);
    spy(['endpoints', 'streamClaims']);
    const weather = { place: 'here', weather: (): string => `fine ${weather.place}` };
    spy(['weather'], { weather: weather.weather });
    expect(Object.keys(seen[0]!)).toEqual([]);
    expect(seen[1]).toEqual({ endpoints: options.services.endpoints });
    expect((seen[2] as typeof weather).weather()).toBe('fine here');
    expect(() => spy(['checkpoints'])).toThrow(
      expect.objectContaining({
        code: 'PLUGIN_SERVICE_MISSING',
        message: expect.stringContaining('"checkpoints"'),
      }),
    );
  });

  it('gives a parser no service', () => {
    const { options } = createPipelineHarness();
    const parser = { ...options.registry.list('parser')[0]!, id: 'parsers.spy', requires: ['listen'] };
    const registry = withPlugin(options.registry, parser as never);
    const steps = [{ name: 'spy', use: 'parsers.spy', with: {} }];
    expect(() => createInstances({ ...options, registry, spec: { ...options.spec, steps } })).toThrow(
      expect.objectContaining({ code: 'PLUGIN_SERVICE_REFUSED' }),
    );
  });

  it('says which instance could not be made', () => {
    const { options } = createPipelineHarness();
    const broken = definePlugin({
      id: 'sinks.broken',
      kind: 'sink',
      apiVersion: API_VERSION,
      stability: 'development',
      summary: 'For tests.',
      configSchema: {},
      create: () => {
        throw new Error('bad pattern');
      },
    });
    const registry = withPlugin(options.registry, broken);
    const spec = { ...options.spec, sinks: [{ name: 'x', use: broken.id, with: {} }] };
    const make = (): unknown => createInstances({ ...options, registry, spec });
    expect(make).toThrow(GatewayError);
    expect(make).toThrow('The instance test/x could not be made: bad pattern');
  });
});

function withPlugin(registry: PluginRegistry, plugin: PluginDefinition): PluginRegistry {
  return new PluginRegistry([...registry.list(), plugin]);
}
