import { createLogger, type RootLogger, createPipeline } from '@activity-gateway/pipeline/host';
import { createPluginRegistry } from './plugins.js';
import { keepFilesPrivate } from './private-files.js';
import { setEngineOptions } from './reactor/engine-options.js';
import { ProcessPort } from './reactor/port.js';
import { Reactor } from './reactor/reactor.js';

let logger: RootLogger | undefined;

// A terminal sends Ctrl-C and its own end to the whole group; when a reactor ends is the control plane's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

// The state of a process after an error that nobody handled is unknown: the control plane starts a new one.
process.on('uncaughtException', (error) => {
  logger ??= createLogger({ level: 'error', format: 'auto', component: 'reactor' });
  logger.error({ err: error, stack: error.stack }, 'Reactor failed');
  logger.flush();
  process.exit(1);
});

keepFilesPrivate();
setEngineOptions();
new Reactor({
  port: new ProcessPort(),
  registry: createPluginRegistry(),
  createPipeline,
  createLogger: (log) => (logger = createLogger({ ...log, component: 'reactor' })),
  exit: (code) => {
    logger?.flush();
    process.exit(code);
  },
}).start();
