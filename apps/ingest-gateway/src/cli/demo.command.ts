import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { accessFile } from '../clickhouse/access-file.js';
import { withInterrupts, type Interrupts } from './agent/interrupts.js';
import { createPluginRegistry } from '../plugins.js';
import { CliCommand, numberIn, text } from './cli-command.js';
import { DemoRun } from './demo/demo-run.js';
import { GatewayApi } from './demo/gateway-api.js';
import { furtherCommands, makeReport } from './demo/report.js';
import { startGateway, type StartedGateway } from './demo/start-gateway.js';

const READY_TIMEOUT_MS = 60_000;

interface DemoOptions {
  /** Stop after the table instead of keeping the gateway running. */
  readonly once: boolean;
  readonly events: number;
  readonly data: string;
}

/**
 * `demo`: a gateway in a separate process, three agents, every type of event, and what came of them in ClickHouse. Exit code
 * 0: every event is accounted for, 1: some are not or something failed, 130: stopped by Ctrl-C before the table.
 */
export function demoCommand(): CliCommand {
  return new CliCommand('gateway demo')
    .description(
      'Shows the whole job on this machine: gateway, three agents, every type of event, ClickHouse.',
    )
    .option('--once', 'stop after the table, with exit code 0 only when every event is accounted for', false)
    .option('--events <n>', 'events to send', numberIn({ min: 1, max: 100_000_000 }), 20_000)
    .option('--data <dir>', 'where the gateway and the agents keep their data', text, './data/demo')
    .exits('0 = every event is accounted for, 1 = not, or something failed')
    .runs<DemoOptions>((options) => withInterrupts((interrupts) => runDemo(options, interrupts)));
}

async function runDemo(options: DemoOptions, interrupts: Interrupts): Promise<number> {
  const gateway = await startGateway(resolve(options.data));
  process.stdout.write('Starting the gateway with its embedded ClickHouse ...\n');
  const over = new AbortController();
  const showing = showDemo(options, gateway, {
    stop: AbortSignal.any([interrupts.stop.signal, over.signal]),
    abort: AbortSignal.any([interrupts.abort.signal, over.signal]),
  });
  try {
    return await Promise.race([showing, gateway.process.died()]);
  } finally {
    // Agents are of no use without their gateway, and what it died of is said after their last word.
    over.abort();
    await Promise.allSettled([showing]);
    await gateway.process.stop(interrupts.abort.signal);
  }
}

interface Signals {
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

async function showDemo(options: DemoOptions, gateway: StartedGateway, signals: Signals): Promise<number> {
  const { events } = options;
  const dataDir = resolve(options.data);
  const keyFile = join(dataDir, 'admin.key');
  const api = new GatewayApi(gateway.url, keyFile);
  const { listener, clickhouse } = await api.waitUntilReady(READY_TIMEOUT_MS, signals.stop);
  process.stdout.write(
    `Ready: agents on port ${listener.port}, REST at ${gateway.url}, ClickHouse ${clickhouse.version ?? ''} at ${clickhouse.url}\n`,
  );
  const agentPort = listener.port;
  const eventTypes = createPluginRegistry().eventTypes();
  const run = new DemoRun({ api, agentPort, dataDir, eventTypes, events, ...signals });
  const { sent, counts } = await run.run();
  if (signals.stop.aborted) return 130;
  const { text, balanced } = makeReport(sent, counts);
  process.stdout.write(`\n${text}\n`);
  process.stdout.write(balanced ? 'Every event is accounted for.\n' : 'Events are missing: see the log.\n');
  if (!options.once) {
    process.stdout.write(
      `\n${furtherCommands({ ...gateway, agentPort, keyFile, accessFile: accessFile(dataDir) }, eventTypes)}\nCtrl-C drains and ends it.\n`,
    );
    await once(signals.stop, 'abort');
    process.stdout.write('\nDraining ...\n');
  }
  return balanced ? 0 : 1;
}
