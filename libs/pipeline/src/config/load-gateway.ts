import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import type { JsonSchema } from '../api/index.js';
import { entriesOf } from '../helpers/index.js';
import type { PluginRegistry } from '../registry/index.js';
import type { DeepPartial } from './buffer-sizes.js';
import { checkValue } from './check.js';
import { Evaluation } from './evaluate.js';
import { gatewaySchema, withoutDefaults, type GatewayValue } from './gateway-schema.js';
import type { LoadContext, PluginImports } from './load-context.js';
import { loadPipelines } from './load-pipelines.js';
import { addPlugins } from './plugin-list.js';
import { ProblemList } from './problems.js';
import { effectiveRetention } from './retention.js';
import type { ConfigProblem, GatewayConfig } from './types.js';
import { readYamlFile, type YamlFile } from './yaml-file.js';

/** What a load needs besides the file. */
export interface LoadOptions {
  /** Closed schema of `settings:`: every setting by its reference name, with its range. Defaults in it are not applied. */
  readonly settingsSchema: JsonSchema;
  /** `process.cwd()` by default. */
  readonly cwd?: string;
  /** What `importListedPlugins` has made of `plugins:`; without it, a file that lists any has a problem. */
  readonly plugins?: PluginImports;
}

/** Outcome of a load. */
export interface LoadedConfig {
  /** Missing when there are problems. */
  readonly config?: GatewayConfig;
  /** Every problem of every file, by file and place. */
  readonly problems: readonly ConfigProblem[];
  /** What works but deserves a look. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads `gateway.yaml` and the pipelines it names: YAML, environment variables, closed schemas with defaults, plugins'
 * options. Does not throw for what a file says: all of it is in `problems`, and no message shows a secret.
 * @param env    usually `process.env`
 * @throws GatewayError `PLUGIN_SCHEMA_INVALID` when a plugin's or the settings' schema is no strict JSON Schema
 */
export function loadGatewayConfig(
  path: string,
  env: NodeJS.ProcessEnv,
  registry: PluginRegistry,
  options: LoadOptions,
): LoadedConfig {
  const context = createContext(env, registry, options);
  const file = readYamlFile(path, context.cwd, context.problems);
  const config = file && loadGatewayFile(file, context, options.settingsSchema);
  return outcome(context, config);
}

/** Makes what all files of a load share. */
export function createContext(
  env: NodeJS.ProcessEnv,
  registry: PluginRegistry,
  { cwd = process.cwd(), plugins = new Map() }: Pick<LoadOptions, 'cwd' | 'plugins'>,
): LoadContext {
  return { env, registry, plugins, cwd, problems: new ProblemList(), warnings: new ProblemList() };
}

/** The lists of a context, and the configuration if there is no problem. */
export function outcome(context: LoadContext, config: GatewayConfig | undefined): LoadedConfig {
  const problems = context.problems.list();
  const warnings = context.warnings.list();
  return config !== undefined && problems.length === 0
    ? { config, problems, warnings }
    : { problems, warnings };
}

/** Checks a parsed `gateway.yaml` and its pipelines; problems are reported. */
export function loadGatewayFile(
  file: YamlFile,
  context: LoadContext,
  settingsSchema: JsonSchema,
): GatewayConfig | undefined {
  const schema = schemaFor(settingsSchema);
  const evaluation = new Evaluation(file, context.env, context.problems);
  const value = evaluation.root([schema]) ?? {};
  const valid = checkValue(value, schema, evaluation, '', 'the settings');
  checkTlsPair(value, evaluation);
  const days = (value as DeepPartial<GatewayValue>).clickhouse?.retention_days;
  const { registry, packages } = addPlugins((value as { plugins?: unknown }).plugins, evaluation, context);
  const pipelines = loadPipelines((value as { pipelines?: unknown }).pipelines, evaluation, {
    ...context,
    registry,
    ...(typeof days === 'number' && { eventRetentionDays: effectiveRetention(days) }),
  });
  if (!valid) return undefined;
  const eventTypes = registry.eventTypes();
  return { ...toConfig(value as GatewayValue, context.cwd), plugins: packages, pipelines, eventTypes };
}

const schemas = new WeakMap<JsonSchema, JsonSchema>();

/** The same schema for the same settings, so that it is compiled once. */
function schemaFor(settingsSchema: JsonSchema): JsonSchema {
  const schema = schemas.get(settingsSchema) ?? gatewaySchema(withoutDefaults(settingsSchema));
  schemas.set(settingsSchema, schema);
  return schema;
}

/** A certificate without its key is a mistake, not a wish for the self-signed one. */
function checkTlsPair(value: unknown, evaluation: Evaluation): void {
  const { listener } = value as { listener?: { tls?: Record<string, unknown> } };
  const tls = listener?.tls ?? {};
  for (const [given, missing] of [
    ['cert_path', 'key_path'],
    ['key_path', 'cert_path'],
  ] as const) {
    const lacks = typeof tls === 'object' && given in tls && !(missing in tls);
    if (!lacks || evaluation.isBroken(`/listener/tls/${missing}`)) continue;
    evaluation.report(evaluation.keyPosition(`/listener/tls/${given}`), {
      code: 'CONFIG_MISSING_KEY',
      message: `\`listener.tls.${given}\` is given without \`listener.tls.${missing}\`.`,
      hint: 'Give both, or none for a certificate that the gateway makes itself.',
    });
  }
}

function toConfig(
  value: GatewayValue,
  cwd: string,
): Omit<GatewayConfig, 'plugins' | 'pipelines' | 'eventTypes'> {
  const { admin, listener, clickhouse } = value;
  const { cert_path: certPath, key_path: keyPath } = listener.tls;
  return {
    dataDir: resolve(cwd, value.data_dir),
    http: toHttp(value.http),
    admin: admin.api_key === undefined ? {} : { apiKey: admin.api_key },
    listener: {
      host: listener.host === 'auto' ? anyAddress() : listener.host,
      tls: {
        ...(certPath !== undefined && { certPath: resolve(cwd, certPath) }),
        ...(keyPath !== undefined && { keyPath: resolve(cwd, keyPath) }),
      },
      maxConnectionsPerKey: listener.max_connections_per_key,
      neverBan: entriesOf(listener.never_ban),
    },
    store: toStore(value.store),
    clickhouse: {
      ...(clickhouse.url !== undefined && { url: clickhouse.url }),
      username: clickhouse.username,
      password: clickhouse.password,
      database: clickhouse.database,
      httpPort: clickhouse.http_port,
      ...toReader(clickhouse.reader, cwd),
      retentionDays: effectiveRetention(clickhouse.retention_days),
      deadLetterRetentionDays: effectiveRetention(clickhouse.dead_letter_retention_days),
      deadLetterAlert: {
        rows: clickhouse.dead_letter_alert_rows,
        bytes: clickhouse.dead_letter_alert_bytes,
      },
    },
    log: value.log,
    settings: value.settings,
  };
}

function toHttp({ host, port, ...lists }: GatewayValue['http']): GatewayConfig['http'] {
  return {
    host,
    port,
    trustedProxies: entriesOf(lists.trusted_proxies),
    allowedHosts: entriesOf(lists.allowed_hosts),
  };
}

/** Without a name there is no reader: a file may name where its password would be. */
function toReader(
  { username, password_file: file }: GatewayValue['clickhouse']['reader'],
  cwd: string,
): Pick<GatewayConfig['clickhouse'], 'reader'> {
  if (username === undefined) return {};
  return { reader: { username, ...(file !== undefined && { passwordFile: resolve(cwd, file) }) } };
}

/** What the embedded store has no use for is left out: one file can serve both by a variable. */
function toStore({ use, uri, database }: GatewayValue['store']): GatewayConfig['store'] {
  return use === 'mongodb' && uri !== undefined ? { use, uri, database } : { use: 'embedded' };
}

/** `::` takes IPv4 too, but cannot be bound where the system has no IPv6. */
function anyAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.some(({ family }) => family === 'IPv6') ? '::' : '0.0.0.0';
}
