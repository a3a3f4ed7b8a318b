import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { API_VERSION, definePlugin, type JsonSchema } from '../api/index.js';
import {
  loadGatewayConfig,
  validateFile,
  type ConfigProblem,
  type LoadedConfig,
  type ValidatedFile,
} from '../config/index.js';
import { PluginRegistry } from '../registry/index.js';

const never = (): never => {
  throw new Error('A configuration is checked without making instances.');
};
const base = { apiVersion: API_VERSION, stability: 'stable', summary: 'For specs.', create: never } as const;
const closed = (properties: Record<string, JsonSchema>, required: string[] = []): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});

/** Plugins of every kind whose options have every type, for specs of the configuration. */
export const specRegistry = new PluginRegistry([
  definePlugin({
    ...base,
    id: 'sources.nam_tls',
    kind: 'source',
    instances: 'each-reactor',
    exclusive: true,
    configSchema: closed({}),
  }),
  definePlugin({
    ...base,
    id: 'sources.other',
    kind: 'source',
    instances: 'each-reactor',
    configSchema: closed({}),
  }),
  definePlugin({ ...base, id: 'sources.lone', kind: 'source', instances: 'one', configSchema: closed({}) }),
  definePlugin({
    ...base,
    id: 'parsers.smb',
    kind: 'parser',
    eventTypes: [],
    configSchema: closed({
      max_event_age: {
        type: 'string',
        pattern: '^\\d+(ms|s|m|h|d)$',
        default: '400d',
        description: 'A whole number and a unit.',
      },
    }),
  }),
  definePlugin({
    ...base,
    id: 'parsers.old',
    kind: 'parser',
    stability: 'deprecated',
    eventTypes: [],
    configSchema: closed({}),
  }),
  definePlugin({
    ...base,
    id: 'sinks.clickhouse',
    kind: 'sink',
    configSchema: closed({
      endpoint: { type: 'string', default: 'default', description: 'Name of the endpoint.' },
      compress: { type: 'boolean', default: true, description: 'Whether to compress.' },
      password: { type: 'string', default: '', description: 'Password.' },
      level: { type: 'integer', minimum: 1, maximum: 9, default: 3, description: 'How much to compress.' },
      mode: { enum: ['fast', 'careful'], default: 'careful', description: 'How to write.' },
      tags: { type: 'array', items: { type: 'string' }, default: [], description: 'Tags.' },
    }),
  }),
  definePlugin({
    ...base,
    id: 'sinks.file',
    kind: 'sink',
    configSchema: closed({ path: { type: 'string', minLength: 1, description: 'Where to write.' } }, [
      'path',
    ]),
  }),
]);

/** A schema of settings with a number and a flag. */
export const specSettings: JsonSchema = closed({
  activitymonitor_tcp_port: {
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
    default: 1514,
    description: 'Port.',
  },
  activitymonitor_batch_size: { type: 'integer', minimum: 10, maximum: 1_000, description: 'Batch.' },
  enable_activitymonitor_ingestion: { type: 'boolean', description: 'Flag.' },
});

/** The smallest pipeline that has no problem. */
export const MINIMAL_PIPELINE = `name: activity
source:
  use: sources.nam_tls
steps:
  - use: parsers.smb
sinks:
  - use: sinks.clickhouse
`;

const inUse = new Set<string>();

/** Configuration files in a temporary directory, which is their working directory too. */
export class ConfigFiles {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'gateway-config-')));

  /** @param files text by path; `gateway.yaml` and `pipelines/activity.yaml` are there if not given */
  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    const all = { 'gateway.yaml': '', 'pipelines/activity.yaml': MINIMAL_PIPELINE, ...files };
    inUse.add(this.directory);
    for (const [path, content] of Object.entries(all)) {
      const target = join(this.directory, path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
    }
  }

  load(env: NodeJS.ProcessEnv = {}, path = 'gateway.yaml'): LoadedConfig {
    return loadGatewayConfig(path, env, specRegistry, { settingsSchema: specSettings, cwd: this.directory });
  }

  validate(path: string, env: NodeJS.ProcessEnv = {}): ValidatedFile {
    return validateFile(path, env, specRegistry, { settingsSchema: specSettings, cwd: this.directory });
  }
}

/** Removes the directories of all `ConfigFiles` made so far; for `afterEach`. */
export function removeConfigFiles(): void {
  for (const directory of inUse) rmSync(directory, { recursive: true, force: true });
  inUse.clear();
}

/** `file:line:column code`, for comparing lists of problems. */
export function placeAndCode({ file, line, column, code }: ConfigProblem): string {
  return `${file}:${line}:${column} ${code}`;
}
