import type { PluginDefinition } from '@activity-gateway/pipeline/api';

/** The same plugins, but sinks write nowhere: what is measured is the gateway's own work. */
export function withoutWrites(definitions: readonly PluginDefinition[]): PluginDefinition[] {
  return definitions.map((definition) => {
    if (definition.kind !== 'sink') return definition;
    return {
      ...definition,
      create: (config, context) => {
        const sink = definition.create(config, context);
        return { open: (type) => sink.open(type), write: () => Promise.resolve() };
      },
    };
  });
}
