import { describe, expect, it } from '@jest/globals';
import { API_VERSION, definePlugin, type PluginDefinition } from '../api/index.js';
import { encodeOnly } from '../helpers/index.js';
import { PluginRegistry } from './index.js';

function sink(id: string, change: object = {}): PluginDefinition {
  const definition = definePlugin({
    id,
    kind: 'sink',
    apiVersion: API_VERSION,
    stability: 'development',
    summary: 'For tests.',
    configSchema: {},
    create: () => ({
      open: ({ name }) => encodeOnly(name, () => new Uint8Array()),
      write: () => Promise.resolve(),
    }),
  });
  return { ...definition, ...change };
}

function source(id: string): PluginDefinition {
  return sink(id, { kind: 'source' });
}

describe('PluginRegistry', () => {
  it('finds plugins by id, and lists them by kind in order', () => {
    const registry = new PluginRegistry([sink('sinks.b'), source('sources.c'), sink('sinks.a')]);
    expect(registry.get('sinks.b')?.id).toBe('sinks.b');
    expect(registry.get('sinks.z')).toBeUndefined();
    expect(registry.ids('sink')).toEqual(['sinks.a', 'sinks.b']);
    expect(registry.ids()).toEqual(['sinks.a', 'sinks.b', 'sources.c']);
    expect(registry.list('source').map(({ id }) => id)).toEqual(['sources.c']);
    expect(registry.list('parser')).toEqual([]);
  });

  it.each([
    'sinks.',
    'sinks.Upper',
    'sinks.two-words',
    'sinks._a',
    'sinks.a__b',
    'sink.a',
    'a',
    '',
    'sources.a',
  ])('refuses the id "%s" for a sink', (id) => {
    expect(() => new PluginRegistry([sink(id)])).toThrow(
      expect.objectContaining({
        code: 'PLUGIN_ID_INVALID',
        hint: 'Use "sinks." and a name in lower_snake_case.',
      }),
    );
  });

  it.each(['sinks.a', 'sinks.ndjson_file', 'sinks.s3'])('takes the id "%s"', (id) => {
    expect(new PluginRegistry([sink(id)]).ids()).toEqual([id]);
  });

  it('refuses two plugins with one id', () => {
    expect(() => new PluginRegistry([sink('sinks.a'), sink('sinks.a')])).toThrow(
      expect.objectContaining({ code: 'PLUGIN_ID_DOUBLED' }),
    );
  });

  it('refuses a plugin made for another version of the API', () => {
    expect(() => new PluginRegistry([sink('sinks.a', { apiVersion: API_VERSION + 1 })])).toThrow(
      expect.objectContaining({ code: 'PLUGIN_API_VERSION' }),
    );
  });
});
