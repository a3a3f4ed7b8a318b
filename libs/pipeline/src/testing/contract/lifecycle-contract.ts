import { expect, it } from '@jest/globals';
import type { Batch, PluginDefinition, Sink, Source, Transform } from '../../api/index.js';
import { requiredServices } from '../../registry/index.js';
import { leftoverResources, newResources, openResources } from '../open-resources.js';
import type { TestContext } from '../test-context.js';

/** Longest time a start or a stop may take without anything to wait for, ms. */
const SOON_MS = 5000;

/** What the contracts make instances from. */
export interface InstanceFactory {
  readonly definition: PluginDefinition;
  /** Options of one instance, validated. Called anew for each. */
  options(): Record<string, unknown>;
  context(): TestContext;
}

/** Makes an instance as the host does, with the services that its definition requires. */
export function createInstance(
  { definition, ...factory }: InstanceFactory,
  context: TestContext = factory.context(),
  options: Record<string, unknown> = factory.options(),
): Source | Transform | Sink {
  const services = requiredServices(definition, context.services);
  return definition.create(options as never, { ...context, services });
}

/** Starts an instance of any kind; what a source emits goes to `emitted`. */
export async function startInstance(
  instance: Source | Transform | Sink,
  signal: AbortSignal,
  emitted: Batch[] = [],
): Promise<void> {
  const emit = (batch: Batch): Promise<void> => {
    emitted.push(batch);
    batch.settle({ delivered: batch.size, deadLettered: 0, dropped: 0 });
    return Promise.resolve();
  };
  await (instance as Source).start?.(signal, emit);
}

/** Declares the tests of create, start and stop, which hold for every kind of plugin. */
export function lifecycleContract(factory: InstanceFactory): void {
  it('opens nothing in create', () => {
    const options = factory.options();
    const context = factory.context();
    const before = openResources();
    createInstance(factory, context, options);
    expect(newResources(before)).toEqual([]);
  });

  it('makes instances that do not share options', () => {
    const options = factory.options();
    const copy = structuredClone(options);
    createInstance(factory, factory.context(), options);
    expect(options).toEqual(copy);
  });

  it('stops without start, and twice', async () => {
    const before = openResources();
    const instance = createInstance(factory);
    await instance.stop?.(Date.now() + SOON_MS);
    await instance.stop?.(Date.now() + SOON_MS);
    expect(await leftoverResources(before)).toEqual([]);
  });

  it('starts without peers or databases, stops, and leaves nothing open', async () => {
    const before = openResources();
    const context = factory.context();
    const emitted: Batch[] = [];
    const instance = createInstance(factory, context);
    const begun = Date.now();
    await startInstance(instance, new AbortController().signal, emitted);
    await instance.stop?.(Date.now() + SOON_MS);
    await instance.stop?.(Date.now() + SOON_MS);
    expect(Date.now() - begun).toBeLessThan(SOON_MS);
    expect(await leftoverResources(before)).toEqual([]);
    expect(emitted).toEqual([]);
    expect(context.services.connections.taken).toBe(false);
  });

  it('can be stopped while it starts, and started under an aborted signal', async () => {
    const before = openResources();
    const hasty = createInstance(factory);
    const starting = startInstance(hasty, new AbortController().signal).catch(() => undefined);
    await hasty.stop?.(Date.now() + SOON_MS);
    await starting;
    await hasty.stop?.(Date.now() + SOON_MS);
    const aborted = createInstance(factory);
    await startInstance(aborted, AbortSignal.abort()).catch(() => undefined);
    await aborted.stop?.(Date.now() + SOON_MS);
    expect(await leftoverResources(before)).toEqual([]);
  });
}
