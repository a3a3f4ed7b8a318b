import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadGatewayConfig, type GatewayConfig } from '@app/pipeline';
import { GatewayError, type Logger } from '@app/pipeline/api';
import { createPluginRegistry } from '../plugins.js';
import { settingsSchema } from '../settings/settings-schema.js';
import { copyStore, type CopiedTable } from '../store/copy-store.js';
import { acquireDirectoryLock, createEmbeddedStore, embeddedStoreDir, type Store } from '../store/index.js';
import { createMongoStore } from '../store/mongodb/mongodb-store.js';
import { CleanupStack } from '../cleanup-stack.js';
import { printError } from './agent/print-error.js';
import { resolveConfigPath } from './config-path.js';
import { printProblems, printWarnings } from './print-problems.js';
import {
  parseStoreOptions,
  STORE_USAGE,
  type StoreCopyOptions,
  type StoreKind,
} from './store/store-options.js';

const DEFAULT_DATABASE = 'activity_gateway';
const write = (text: string): void => void process.stderr.write(text);

/**
 * `store copy`: moves what a gateway has grown from one store to another.
 * @returns exit code: 0 everything is in the target, 1 it is not, 2 the command line is wrong
 */
export async function storeCommand(argv: string[]): Promise<number> {
  try {
    const options = parseStoreOptions(argv);
    if (options !== undefined) return await copy(options);
    process.stdout.write(STORE_USAGE);
    return 0;
  } catch (error) {
    printError(error);
    return error instanceof GatewayError && error.code === 'CLI_USAGE' ? 2 : 1;
  }
}

async function copy(options: StoreCopyOptions): Promise<number> {
  const path =
    options.config === undefined ? resolveConfigPath(process.env, process.cwd()) : resolve(options.config);
  const loaded = loadGatewayConfig(path, process.env, createPluginRegistry(), { settingsSchema });
  printWarnings(loaded.warnings, write);
  printProblems(loaded.problems, write);
  if (loaded.config === undefined) return 1;
  const { dataDir } = loaded.config;
  const mongodb = mongodbOf(options, loaded.config);
  if (options.from === 'embedded') ensureThere(dataDir);
  const undo = new CleanupStack((error) => write(`Not closed in order: ${String(error)}\n`));
  try {
    const lock = await acquireDirectoryLock(dataDir);
    undo.add(() => lock.release());
    const stores = await openBoth(dataDir, mongodb, undo);
    const report = await copyStore(stores[options.from], stores[options.to], options);
    process.stdout.write(reportText(options, report));
    return 0;
  } finally {
    await undo.run();
  }
}

/** The URI from the command line is the user's own word; the file's comes before the variable, which may be for others. */
function mongodbOf(options: StoreCopyOptions, { store }: GatewayConfig): MongoConfig {
  const configured = store.use === 'mongodb' ? store : undefined;
  const uri = options.uri ?? configured?.uri ?? (process.env['MONGODB_URI'] || undefined);
  if (uri === undefined) {
    throw new GatewayError('CLI_USAGE', 'Which MongoDB?', 'Give --uri, or set MONGODB_URI.');
  }
  const fallback = process.env['MONGODB_DATABASE'] || DEFAULT_DATABASE;
  return { use: 'mongodb', uri, database: options.database ?? configured?.database ?? fallback };
}

type MongoConfig = Extract<GatewayConfig['store'], { use: 'mongodb' }>;

/** Opening would make an empty one, and a mistyped data directory would be copied with success. */
function ensureThere(dataDir: string): void {
  const dir = embeddedStoreDir(dataDir);
  if (existsSync(dir)) return;
  throw new GatewayError(
    'STORE_MISSING',
    `There is no embedded store in ${dir}.`,
    'Set GATEWAY_DATA_DIR, or --config, to those that the gateway is run with.',
  );
}

/** Both stores; the MongoDB one holds the embedded one, because its gateway's facts are there. */
async function openBoth(
  dataDir: string,
  mongodb: MongoConfig,
  undo: CleanupStack,
): Promise<Record<StoreKind, Store>> {
  const embedded = await createEmbeddedStore(embeddedStoreDir(dataDir));
  undo.add(() => embedded.close());
  const { uri, database } = mongodb;
  const { installation } = embedded;
  const remote = createMongoStore({ uri, database, installation, logger: SILENT });
  undo.add(() => remote.close());
  return { embedded, mongodb: remote };
}

/** What goes wrong is said by the error that ends the command. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

function reportText({ from, to }: StoreCopyOptions, report: readonly CopiedTable[]): string {
  const lines = report.map(
    ({ name, copied, unchanged }) =>
      `  ${name.padEnd(18)} ${copied} copied${unchanged > 0 ? `, ${unchanged} already there` : ''}`,
  );
  return `Copied from ${from} to ${to}:\n${lines.join('\n')}\nNow run the gateway with GATEWAY_STORE=${to}.\n`;
}
