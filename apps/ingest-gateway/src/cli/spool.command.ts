import { resolve } from 'node:path';
import { loadGatewayConfig } from '@app/pipeline/config';
import { GatewayError } from '@app/pipeline/api';
import { createPluginRegistry } from '../plugins.js';
import { settingsSchema } from '../settings/settings-schema.js';
import { parseOptions } from './agent/parse-options.js';
import { printError } from './agent/print-error.js';
import { resolveConfigPath } from './config-path.js';
import { printProblems } from './print-problems.js';
import { exportSpools } from './spool/export-spools.js';
import { findSpools, type FoundSpool } from './spool/find-spools.js';
import { inspectSpools } from './spool/inspect-spools.js';
import { verifySpools } from './spool/verify-spools.js';

const HELP = `Usage: gateway spool <inspect|verify|export> [options]

Looks into the spools: what waits on disk for the sinks. Works beside a running gateway, and changes nothing.

  inspect              what waits, by sink and destination, and the batches that are frozen
  verify               reads everything and checks it
  export --out DIR     writes what waits to files, one for each spool, sink and destination. For ClickHouse they hold
                       Native blocks: clickhouse-client --query "INSERT INTO activity.file_events FORMAT Native" < FILE
                       What is exported stays in the spool: import it only when the gateway is not to write it as well.

  --data-dir DIR       the gateway's data directory; by default the one of its configuration
  --pipeline NAME      spools of one pipeline only
  --sink NAME          export one sink only
  --destination NAME   export one destination (for ClickHouse a table) only
  --json               inspect: print JSON
  --help               this text

Exit code: 0 = all is well, 1 = something is damaged or cannot be read, 2 = wrong usage.
`;

const OPTIONS = {
  'data-dir': { type: 'string' },
  pipeline: { type: 'string' },
  sink: { type: 'string' },
  destination: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

const write = (text: string): void => void process.stdout.write(text);

/**
 * `gateway spool`.
 * @param argv what follows `spool` on the command line
 * @returns the exit code
 */
export async function spoolCommand(argv: string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (error) {
    printError(error);
    return error instanceof GatewayError && error.code === 'CLI_USAGE' ? 2 : 1;
  }
}

async function run(argv: string[]): Promise<number> {
  const [given, ...rest] = argv;
  const named = given !== undefined && !given.startsWith('-');
  const options = parseOptions(named ? rest : argv, OPTIONS);
  if (options.help === true) return help();
  if (!named || !['inspect', 'verify', 'export'].includes(given)) {
    throw new GatewayError('CLI_USAGE', 'Say what to do: inspect, verify or export.', 'See --help.');
  }
  if (given === 'export' && options.out === undefined) {
    throw new GatewayError('CLI_USAGE', '--out is missing.', 'Name a directory for the files.');
  }
  const dataDir = options['data-dir'] === undefined ? configuredDataDir() : resolve(options['data-dir']);
  if (dataDir === undefined) return 1;
  const spools = findSpools(dataDir, options.pipeline);
  if (spools.length === 0) return nothing(dataDir);
  return perform(given, spools, options);
}

function perform(
  what: string,
  spools: readonly FoundSpool[],
  { json, out = '', sink, destination }: ReturnType<typeof parseOptions<typeof OPTIONS>>,
): Promise<number> {
  if (what === 'inspect') return inspectSpools(spools, json === true, write);
  if (what === 'verify') return verifySpools(spools, write);
  return exportSpools(spools, { out: resolve(out), sink, destination }, write);
}

function help(): number {
  write(HELP);
  return 0;
}

function nothing(dataDir: string): number {
  write(`There is no spool in ${dataDir}.\n`);
  return 0;
}

function configuredDataDir(): string | undefined {
  const path = resolveConfigPath(process.env, process.cwd());
  const { config, problems } = loadGatewayConfig(path, process.env, createPluginRegistry(), {
    settingsSchema,
  });
  printProblems(problems, (text) => void process.stderr.write(text));
  return config?.dataDir;
}
