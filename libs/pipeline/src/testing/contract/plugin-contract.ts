import { describe, expect, it } from '@jest/globals';
import type { EventType, PluginDefinition } from '../../api/index.js';
import { folderOfId, pluginFolders, sampleOptions } from '../plugin-files.js';
import type { ReadEvent } from '../parse-line.js';
import { createTestContext } from '../test-context.js';
import type { TestServices } from '../test-services.js';
import { validateOptions } from '../validate-options.js';
import { definitionContract } from './definition-contract.js';
import { lifecycleContract, type InstanceFactory } from './lifecycle-contract.js';
import { parserContract } from './parser-contract.js';
import type { ContractDestination } from './recover-contract.js';
import { sinkContract } from './sink-contract.js';
import { sourceContract } from './source-contract.js';

/** What a test may choose of a contract run. */
export interface PluginContractOptions {
  /** Options to put over those of `sample.yaml`, such as a temporary directory. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** What a sink is told to expect; only dead letters by default. */
  readonly eventTypes?: readonly EventType[];
  /** Services of the program's domain and others that the plugin needs. Called anew for each instance. */
  readonly services?: () => Partial<TestServices>;
  /** Reads the lines of a parser's golden cases, as the source that it is for does; a parser needs it. */
  readonly read?: ReadEvent;
  /** Opens a real destination in which a sink with `recover` is tested. */
  readonly destination?: () => Promise<ContractDestination>;
}

/**
 * Declares the tests that every plugin has to pass: what it says of itself, its life, and the rules of its kind.
 * @param folder the plugin's folder, with a slash at its end
 */
export function describePluginContract(
  definition: PluginDefinition,
  folder: URL,
  { options = {}, eventTypes, services, read = noReader, destination }: PluginContractOptions = {},
): void {
  const factory: InstanceFactory = {
    definition,
    options: () => {
      const sample = sampleOptions(folder, definition.id) as Readonly<Record<string, unknown>>;
      return validateOptions(definition, { ...sample, ...options });
    },
    context: () =>
      createTestContext({
        id: `contract/${definition.id}`,
        ...(eventTypes && { eventTypes }),
        ...(services && { services: services() }),
      }),
  };
  describe(`contract of ${definition.id}`, () => {
    definitionContract(definition, folder);
    lifecycleContract(factory);
    if (definition.kind === 'parser') parserContract(factory, definition, folder, read);
    else if (definition.kind === 'sink') sinkContract(factory, destination);
    else sourceContract(factory);
  });
}

function noReader(): never {
  throw new Error('Give the option "read": the test cases of a parser are read as its source reads them.');
}

/**
 * Declares the test that a list of plugins names exactly the folders that exist.
 * @param root the folder `plugins/`, with a slash at its end
 */
export function describePluginList(plugins: readonly PluginDefinition[], root: URL): void {
  describe('the list of plugins', () => {
    it('has an entry for every folder, and a folder for every entry', () => {
      expect(plugins.map(({ id }) => folderOfId(id)).sort()).toEqual(pluginFolders(root));
    });
  });
}
