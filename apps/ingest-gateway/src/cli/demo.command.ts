import { GatewayError } from '@app/pipeline/api';
import { once } from 'node:events';
import { join } from 'node:path';
import { accessFile } from '../clickhouse/access-file.js';
import { takeInterrupts, type Interrupts } from './agent/interrupts.js';
import { printError } from './agent/print-error.js';
import { DEMO_USAGE, parseDemoOptions, type DemoOptions } from './demo/demo-options.js';
import { DemoRun } from './demo/demo-run.js';
import { GatewayApi } from './demo/gateway-api.js';
import { furtherCommands, makeReport } from './demo/report.js';
import { startGateway, type StartedGateway } from './demo/start-gateway.js';

const READY_TIMEOUT_MS = 60_000;

/**
 * `demo`: a gateway in a process of its own, three agents, four types of event, and what came of them in ClickHouse.
 * @returns exit code: 0 every event is accounted for, 1 some are not or something failed, 2 the command line is
 *   wrong, 130 ended by Ctrl-C before the table
 */
export async function demoCommand(argv: string[]): Promise<number> {
  const interrupts = takeInterrupts();
  try {
    const options = parseDemoOptions(argv);
    if (!options.help) return await runDemo(options, interrupts);
    process.stdout.write(DEMO_USAGE);
    return 0;
  } catch (error) {
    if (interrupts.stop.signal.aborted && error instanceof GatewayError) return 130;
    printError(error);
    return error instanceof GatewayError && error.code === 'CLI_USAGE' ? 2 : 1;
  } finally {
    interrupts.release();
  }
}

async function runDemo(options: DemoOptions, interrupts: Interrupts): Promise<number> {
  const gateway = await startGateway(options.dataDir);
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
  const { dataDir, events } = options;
  const keyFile = join(dataDir, 'admin.key');
  const api = new GatewayApi(gateway.url, keyFile);
  const { listener, clickhouse } = await api.waitUntilReady(READY_TIMEOUT_MS, signals.stop);
  process.stdout.write(
    `Ready: agents on port ${listener.port}, REST at ${gateway.url}, ClickHouse ${clickhouse.version ?? ''} at ${clickhouse.url}\n`,
  );
  const agentPort = listener.port;
  const { sent, counts } = await new DemoRun({ api, agentPort, dataDir, events, ...signals }).run();
  if (signals.stop.aborted) return 130;
  const { text, balanced } = makeReport(sent, counts);
  process.stdout.write(`\n${text}\n`);
  process.stdout.write(balanced ? 'Every event is accounted for.\n' : 'Events are missing: see the log.\n');
  if (!options.once) {
    process.stdout.write(
      `\n${furtherCommands({ ...gateway, agentPort, keyFile, accessFile: accessFile(dataDir) })}\nCtrl-C drains and ends it.\n`,
    );
    await once(signals.stop, 'abort');
    process.stdout.write('\nDraining ...\n');
  }
  return balanced ? 0 : 1;
}
