import { Option } from 'commander';
import { existsSync } from 'node:fs';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { copyStore, type CopiedTable } from '../store/copy-store.js';
import { acquireDirectoryLock, createEmbeddedStore, embeddedStoreDir, type Store } from '../store/index.js';
import { createMongoStore } from '../store/mongodb/mongodb-store.js';
import { CleanupStack } from '../cleanup-stack.js';
import { CliCommand, text, usage } from './cli-command.js';
import { loadConfig } from './load-config.js';

/** Kinds of store. */
type StoreKind = 'embedded' | 'mongodb';

const DEFAULT_DATABASE = 'activity_gateway';
const write = (text: string): void => void process.stderr.write(text);

/** What `store copy` was asked to do. */
interface CopyOptions {
  readonly from: StoreKind;
  readonly to: StoreKind;
  readonly uri?: string;
  readonly database?: string;
  readonly overwrite: boolean;
  /** `gateway.yaml`, as given. */
  readonly config?: string;
}

/** `store copy`: moves what a gateway has accumulated from one store to another. Exit code 0: everything is in the target. */
export function storeCommand(): CliCommand {
  const store = new CliCommand('gateway store').description(
    'Copies agents, tokens, settings, keys and audit trail.',
  );
  const kind = (flags: string, description: string): Option =>
    new Option(flags, description).choices(['embedded', 'mongodb']).makeOptionMandatory();
  const copying = new CliCommand('copy')
    .description(
      `Copies agents, enrollment tokens, settings, API keys and the audit trail from one store to the other. Stop the \
gateway first; what belongs to this one gateway (its id, its admin key, its certificate) stays in its data directory. Done \
again, it changes nothing.`,
    )
    .addOption(kind('--from <kind>', 'store to copy from'))
    .addOption(kind('--to <kind>', 'the other one'))
    .option(
      '--uri <uri>',
      `the MongoDB; by default the one that gateway.yaml uses, else the variable MONGODB_URI. Others on this machine can \
read command lines: give a URI with a password in the variable`,
      text,
    )
    .option(
      '--database <name>',
      'its database; by default that of gateway.yaml, else the variable MONGODB_DATABASE, else activity_gateway',
      text,
    )
    .option(
      '--overwrite',
      'replace entries of the target that differ; entries that only the target has are kept',
      false,
    )
    .option(
      '--config <file>',
      'gateway.yaml, which names the data directory; by default as for "gateway run"',
      text,
    )
    .exits('0 = everything is in the target, 1 = it is not')
    .runs<CopyOptions>(async (options) => {
      if (options.from === options.to) throw usage('--from and --to name the same store.', 'See --help.');
      return copy(options);
    });
  store.addCommand(copying);
  return store;
}

async function copy(options: CopyOptions): Promise<number> {
  const config = await loadConfig(options.config);
  if (config === undefined) return 1;
  const { dataDir } = config;
  const mongodb = mongodbOf(options, config);
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
function mongodbOf(options: CopyOptions, { store }: GatewayConfig): MongoConfig {
  const configured = store.use === 'mongodb' ? store : undefined;
  const uri = options.uri ?? configured?.uri ?? (process.env['MONGODB_URI'] || undefined);
  if (uri === undefined) {
    throw usage('Which MongoDB?', 'Give --uri, or set MONGODB_URI.');
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

function reportText({ from, to }: CopyOptions, report: readonly CopiedTable[]): string {
  const lines = report.map(
    ({ name, copied, unchanged }) =>
      `  ${name.padEnd(18)} ${copied} copied${unchanged > 0 ? `, ${unchanged} already there` : ''}`,
  );
  return `Copied from ${from} to ${to}:\n${lines.join('\n')}\nNow run the gateway with GATEWAY_STORE=${to}.\n`;
}
