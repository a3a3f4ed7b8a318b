import { randomBytes } from 'node:crypto';
import { collectDefaultMetrics, Registry } from 'prom-client';
import {
  type DrainReport,
  type GatewayConfig,
  createLogger,
  createMetrics,
} from '@activity-gateway/pipeline/host';
import type { Logger } from '@activity-gateway/pipeline/api';
import { AdminKey } from './admin/admin-key.js';
import type { StatusView } from './admin/status.view.js';
import { closeDataDirectory } from './close-data-directory.js';
import { createClickHouseService } from './clickhouse/index.js';
import type { ClickHouseService } from './clickhouse/types.js';
import type { ControlPlane } from './control-plane.js';
import { createDataPlane, ReactorLauncher } from './listener/index.js';
import type { GatewayDependencies } from './dependencies.js';
import { writePidFile } from './pid-file.js';
import { drainTimeoutMs } from './settings/index.js';
import { acquireDirectoryLock, openStore, type DirectoryLock } from './store/index.js';
import { CleanupStack } from './cleanup-stack.js';
import { programVersion } from './version.js';

/** What a gateway is started from. */
export interface StartOptions {
  readonly config: GatewayConfig;
  /** Written to standard output by default. */
  readonly logger?: Logger;
  /** Replacements of parts, for tests. */
  readonly makers?: Partial<Factories>;
  /** Ends a start that waits for another gateway to give the data directory free. */
  readonly signal?: AbortSignal;
}

/** How the two parts with processes of their own are made. */
export interface Factories {
  readonly createDataPlane: GatewayDependencies['createDataPlane'];
  readonly createClickHouseService: typeof createClickHouseService;
}

/** A gateway that runs in this process, its reactors and its ClickHouse in children. */
export interface RunningGateway {
  /** Where REST answers, without a slash at the end. */
  readonly httpUrl: string;
  /** File with the admin key; `undefined` when `admin.apiKey` is configured. */
  readonly adminKeyFile: string | undefined;
  /**
   * Resolves when the first attempt to serve agents has ended, well or not: `status()` tells. It is made when agents and
   * settings have been read from the store.
   */
  readonly started: Promise<void>;
  /** As `GET /api/v1/nam-listener/status`. */
  status(): StatusView;
  readonly clickhouse: Pick<ClickHouseService, 'status' | 'events' | 'summary' | 'endpoint'>;
  /**
   * Stops accepting, writes out what is held, ends everything in order. Safe twice; does not reject.
   * @param deadline milliseconds since 1970-01-01 UTC until which events may be written; by default now and
   *   `activitymonitor_shutdown_drain_timeout_seconds`
   */
  stop(deadline?: number): Promise<readonly DrainReport[]>;
}

/**
 * Starts a gateway. Waits neither for ClickHouse, a MongoDB nor the listener: what fails there is retried and is in `status()`.
 * @throws GatewayError when it cannot run at all: `DATA_DIR_IN_USE`, `DATA_DIR_UNUSABLE`, `STORE_UNAVAILABLE`,
 *   `STORE_URI_INVALID`, `HTTP_PORT_UNAVAILABLE`, `SETTING_INVALID`
 */
export async function startGateway({
  config,
  logger: given,
  makers,
  signal,
}: StartOptions): Promise<RunningGateway> {
  const logger = given ?? createLogger({ ...config.log, component: 'gateway' });
  const undo = new CleanupStack((error) => logger.error({ err: error }, 'Failed to stop a part cleanly'));
  try {
    const lock = await acquireDirectoryLock(config.dataDir, { logger, ...(signal && { signal }) });
    undo.add(() => lock.release());
    const closing = await closeDataDirectory(config.dataDir, logger);
    undo.add(() => closing.stop());
    undo.add(await writePidFile(config.dataDir, logger));
    const parts = await openParts(config, logger, makersOf(config, makers, undo), undo);
    const key = await AdminKey.load({
      configured: config.admin.apiKey,
      installation: parts.store.installation,
      dataDir: config.dataDir,
      logger,
    });
    undo.add(() => parts.clickhouse.stop());
    parts.clickhouse.start();
    // Loaded while ClickHouse starts: NestJS and its modules take about as long, and neither needs the other.
    const { createControlPlane } = await import('./control-plane.js');
    const control = await createControlPlane(parts, key.matches);
    undo.add(() => control.close());
    undo.add(() => control.agents.stop());
    return run(parts, control, key, lock, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

function makersOf(
  { dataDir }: GatewayConfig,
  given: Partial<Factories> | undefined,
  undo: CleanupStack,
): Factories {
  return {
    createDataPlane: given?.createDataPlane ?? preparedDataPlane(dataDir, undo),
    createClickHouseService: given?.createClickHouseService ?? createClickHouseService,
  };
}

/** Its first reactor is started at once: to load it takes as long as all that has to be there before it gets work. */
function preparedDataPlane(dataDir: string, undo: CleanupStack): Factories['createDataPlane'] {
  const forks = new ReactorLauncher(dataDir);
  undo.add(() => forks.close());
  forks.prepare();
  return (options) => createDataPlane(options, { forks });
}

async function openParts(
  config: GatewayConfig,
  logger: Logger,
  makers: Factories,
  undo: CleanupStack,
): Promise<GatewayDependencies> {
  const store = await openStore({
    config: config.store,
    dataDir: config.dataDir,
    logger: logger.child({ component: 'store' }),
  });
  undo.add(() => store.close());
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const id = await store.installation.setOnce('gateway_id', randomBytes(8).toString('hex'));
  const { dataDir, clickhouse, eventTypes } = config;
  return {
    identity: { id, version: programVersion(), startedAt: new Date().toISOString() },
    config,
    logger,
    metrics: createMetrics(registry),
    registry,
    store,
    clickhouse: makers.createClickHouseService({
      config: clickhouse,
      dataDir,
      eventTypes,
      logger: logger.child({ component: 'clickhouse' }),
    }),
    createDataPlane: makers.createDataPlane,
  };
}

function run(
  dependencies: GatewayDependencies,
  control: ControlPlane,
  key: AdminKey,
  lock: DirectoryLock,
  undo: CleanupStack,
): RunningGateway {
  const { logger, clickhouse } = dependencies;
  const started = startDataPlane(control, logger);
  const file = key.file === undefined ? {} : { adminKeyFile: key.file };
  logger.info({ url: control.httpUrl, ...file }, 'REST API, health and metrics are served');
  let stopped: Promise<readonly DrainReport[]> | undefined;
  const stop = async (deadline: number): Promise<readonly DrainReport[]> => {
    logger.info({ deadline: new Date(deadline) }, 'Gateway stopping; writing open events');
    await lock.stopping();
    const reports = await control.dataPlane.stop(deadline).catch((error: unknown) => {
      logger.error({ err: error }, 'Failed to stop the data plane cleanly');
      return [];
    });
    for (const report of reports) tellDrain(report, logger);
    tellWaiting(reports, logger);
    await undo.run();
    logger.info({}, 'Gateway stopped');
    return reports;
  };
  return {
    httpUrl: control.httpUrl,
    adminKeyFile: key.file,
    started,
    status: () => control.namListener.status(),
    clickhouse,
    stop: (deadline = Date.now() + drainTimeoutMs(control.settings.snapshot.current)) =>
      (stopped ??= stop(deadline)),
  };
}

/** Only once it is known who may stream: agents would be turned away before. */
async function startDataPlane(control: ControlPlane, logger: Logger): Promise<void> {
  try {
    await control.storeLoaded;
    await control.dataPlane.start();
  } catch (error) {
    logger.error({ err: error }, 'Failed to start the data plane');
  }
}

function tellDrain(report: DrainReport, logger: Logger): void {
  const complete = report.left === 0 && report.waiting === undefined;
  if (complete) logger.info(report, 'Pipeline drained');
  else logger.warn(report, 'Failed to drain the pipeline before the stop');
}

function tellWaiting(reports: readonly DrainReport[], logger: Logger): void {
  const events = reports.reduce((sum, { waiting = 0 }) => sum + waiting, 0);
  if (events > 0) logger.warn({ events }, 'Events wait in the spool for the next start');
}
