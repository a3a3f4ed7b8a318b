import { fileURLToPath } from 'node:url';
import { type GatewayConfig, createLogger, type RootLogger } from '@activity-gateway/pipeline/host';
import { startGateway } from '../bootstrap.js';
import { CliCommand } from './cli-command.js';
import { loadConfig } from './load-config.js';
import { takeInterrupts } from './agent/interrupts.js';
import { onHangUp } from './hang-up.js';
import { isFailedCommit } from '../store/embedded/documents.js';

/**
 * `gateway run`: serves until a signal. Exit code 0: stopped gracefully, 1: it could not start or was ended at once.
 */
export function runCommand(): CliCommand {
  return new CliCommand('gateway run')
    .description(
      `Starts the gateway. SIGTERM or Ctrl-C stops it gracefully: events that it holds are written first; a second one \
stops it at once. SIGHUP is logged and changes nothing, except when the terminal that the gateway was started in has closed.`,
    )
    .argument(
      '[file]',
      'gateway.yaml; by default GATEWAY_CONFIG, else config/gateway.yaml, else the one that comes with the program',
    )
    .exits('0 = stopped gracefully, 1 = could not start or was stopped at once')
    .runs(async (_, file) => {
      const config = await loadConfig(file);
      if (config === undefined) return 1;
      const logger = createLogger({ ...config.log, component: 'gateway' });
      for (const { name, version, url, plugins } of config.plugins) {
        logger.info({ package: name, version, origin: fileURLToPath(url), plugins }, 'Plugin package loaded');
      }
      try {
        return await serve(config, logger);
      } finally {
        logger.flush();
      }
    });
}

async function serve(config: GatewayConfig, logger: RootLogger): Promise<number> {
  const interrupts = takeInterrupts(['SIGINT', 'SIGTERM']);
  onHangUp(logger, () => interrupts.stop.abort());
  exitOnUnhandledErrors(logger);
  interrupts.abort.signal.addEventListener('abort', () => {
    logger.warn({}, 'Gateway stopped at once; open events may be lost');
    logger.flush();
    process.exit(1);
  });
  const gateway = await startGateway({ config, logger, signal: interrupts.stop.signal });
  await aborted(interrupts.stop.signal);
  await gateway.stop();
  return 0;
}

/** Nobody knows the state of a process after such an error; whoever runs the gateway starts it again. */
function exitOnUnhandledErrors(logger: RootLogger): void {
  process.on('uncaughtException', (error, origin) => {
    // Whoever wrote to the store has been told, and says so; the gateway goes on until the disk has room.
    if (origin === 'unhandledRejection' && isFailedCommit(error))
      return void error.commitError.catch(() => undefined);
    logger.error({ err: error }, 'Gateway failed; unexpected error');
    logger.flush();
    process.exit(1);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
