import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { deadLetters } from '@activity-gateway/pipeline/api';
import {
  describePluginContract,
  describePluginList,
  pluginFolder,
  runGoldenCases,
} from '@activity-gateway/pipeline/testing';
import { doorEvents, doorParser } from './door.parser.js';
import { readDoorLine } from './door-log.source.js';
import { plugins } from './index.js';

const root = new URL('../plugins/', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'door-events-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describePluginList(plugins, root);
for (const plugin of plugins) {
  describePluginContract(plugin, pluginFolder(root, plugin.id), {
    read: readDoorLine,
    eventTypes: [doorEvents, deadLetters],
    options: plugin.kind === 'sink' ? { directory } : {},
  });
}
runGoldenCases(pluginFolder(root, doorParser.id), doorParser, { read: readDoorLine });
