import { Option } from 'commander';
import { resolve } from 'node:path';
import { CliCommand, text } from './cli-command.js';
import { loadConfig } from './load-config.js';
import { exportSpools } from './spool/export-spools.js';
import { findSpools, type FoundSpool } from './spool/find-spools.js';
import { inspectSpools } from './spool/inspect-spools.js';
import { verifySpools } from './spool/verify-spools.js';

const write = (output: string): void => void process.stdout.write(output);

interface SpoolOptions {
  readonly dataDir?: string;
  readonly pipeline?: string;
}

/**
 * `spool inspect`, `verify` and `export`. They work beside a running gateway and change nothing. Exit code 1: something is
 * damaged or cannot be read.
 */
export function spoolCommand(): CliCommand {
  const spool = new CliCommand('gateway spool').description(
    'Looks into the spools: what waits on disk for the sinks. Works beside a running gateway, and changes nothing.',
  );
  const inspect = action('inspect', 'Shows what waits, by sink and destination, and the sealed batches.')
    .option('--json', 'print JSON')
    .runs<SpoolOptions & { json?: boolean }>((options) =>
      withSpools(options, (spools) => inspectSpools(spools, options.json === true, write)),
    );
  const verify = action('verify', 'Reads everything and checks it.').runs<SpoolOptions>((options) =>
    withSpools(options, (spools) => verifySpools(spools, write)),
  );
  for (const each of [inspect, verify, exportAction()]) {
    spool.addCommand(each.exits('0 = all is well, 1 = something is damaged or cannot be read'));
  }
  return spool;
}

function exportAction(): CliCommand {
  return action(
    'export',
    `Writes what waits to files, one for each spool, sink and destination. For ClickHouse they hold Native blocks: \
clickhouse-client --query "INSERT INTO activity.TABLE FORMAT Native" < FILE. What is exported stays in the spool: import \
it only when the gateway is not to write it as well.`,
  )
    .addOption(new Option('--out <dir>', 'directory for the files').argParser(text).makeOptionMandatory())
    .option('--sink <name>', 'one sink only', text)
    .option('--destination <name>', 'one destination (for ClickHouse a table) only', text)
    .runs<SpoolOptions & { out: string; sink?: string; destination?: string }>((options) =>
      withSpools(options, (spools) => {
        const { out, sink, destination } = options;
        return exportSpools(spools, { out: resolve(out), sink, destination }, write);
      }),
    );
}

function action(name: string, description: string): CliCommand {
  return new CliCommand(name)
    .description(description)
    .option('--data-dir <dir>', "the gateway's data directory; by default the one of its configuration", text)
    .option('--pipeline <name>', 'spools of one pipeline only', text);
}

async function withSpools(
  { dataDir: given, pipeline }: SpoolOptions,
  work: (spools: readonly FoundSpool[]) => Promise<number>,
): Promise<number> {
  const dataDir = given === undefined ? (await loadConfig(undefined))?.dataDir : resolve(given);
  if (dataDir === undefined) return 1;
  const spools = findSpools(dataDir, pipeline);
  return spools.length === 0 ? nothing(dataDir) : work(spools);
}

function nothing(dataDir: string): number {
  write(`There is no spool in ${dataDir}.\n`);
  return 0;
}
