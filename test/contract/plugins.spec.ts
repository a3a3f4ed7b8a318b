import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { deadLetters } from '@activity-gateway/pipeline/api';
import type { TlsIdentity } from '@activity-gateway/pipeline/host';
import {
  type ContractDestination,
  describePluginContract,
  describePluginList,
  pluginFolder,
} from '@activity-gateway/pipeline/testing';
import { readEvent } from '@activity-gateway/activity';
import { createTestAgentServices, createTestCertificate } from '@activity-gateway/activity/testing';
import { createLiveValue } from '@activity-gateway/pipeline/helpers';
import { plugins } from '../../plugins/index.js';
import { openClickHouseDestination } from '../support/clickhouse-destination.js';

const { certPem: cert, keyPem: key } = await createTestCertificate({ commonName: 'gateway' });
const identity: TlsIdentity | undefined = { cert, key };
const root = new URL('../../plugins/', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'plugin-contract-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Options that `sample.yaml` cannot know. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'sinks.ndjson_file': { directory },
};
/** Engines are not started in the fast run. */
const DESTINATIONS: Readonly<Record<string, () => Promise<ContractDestination>>> =
  process.env['TEST_FAST'] === '1' ? {} : { 'sinks.clickhouse': openClickHouseDestination };
const eventTypes = [
  ...plugins.flatMap((plugin) => (plugin.kind === 'parser' ? plugin.eventTypes : [])),
  deadLetters,
];
/** Folders to which `npm test -- plugins/<kind>s/<name>` narrows this suite. */
const named = process.env['TEST_PLUGINS']?.split(',');
const folders = new Map(
  plugins.map((plugin) => [relative('.', fileURLToPath(pluginFolder(root, plugin.id))), plugin]),
);
const tested = named?.map((folder) => folders.get(folder)) ?? plugins;

if (named === undefined) describePluginList(plugins, root);
for (const plugin of tested) {
  if (plugin === undefined) throw new Error(`${String(named)}: not in the list of plugins/index.ts.`);
  describePluginContract(plugin, pluginFolder(root, plugin.id), {
    eventTypes,
    read: (line) => readEvent(line),
    services: () => ({ ...createTestAgentServices(), tlsIdentity: createLiveValue(identity) }),
    options: OPTIONS[plugin.id] ?? {},
    ...(DESTINATIONS[plugin.id] && { destination: DESTINATIONS[plugin.id] }),
  });
}
