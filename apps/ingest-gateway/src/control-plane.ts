import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { rejectedEntry } from './admin/http/rejected-entry.js';
import { createHttpAdapter } from './admin/http/http-adapter.js';
import { createNestLogger } from './admin/http/nest-logger.js';
import { QueryGuard } from './admin/http/query.guard.js';
import { ProblemFilter } from './admin/http/problem.filter.js';
import { NamListenerService } from './admin/nam-listener.service.js';
import { AgentsService } from './agents/index.js';
import { AuditService } from './audit/index.js';
import { Authenticator } from './api-keys/index.js';
import { AppModule } from './app.module.js';
import { ApiDocument } from './openapi/api-document.js';
import { DataPlaneHost } from './data-plane/index.js';
import type { GatewayDependencies } from './dependencies.js';
import { SettingsService } from './settings/index.js';
import { followStore } from './store/index.js';

/** The NestJS application: it answers REST and holds the services. */
export interface ControlPlane {
  /** Where REST answers, without a slash at the end. */
  readonly httpUrl: string;
  readonly settings: SettingsService;
  readonly agents: AgentsService;
  readonly dataPlane: DataPlaneHost;
  readonly namListener: NamListenerService;
  /** Resolves when agents and settings have been read from the store. */
  readonly storeLoaded: Promise<void>;
  /** Every route of the REST API as `GET /path/:parameter`. */
  routes(): string[];
  /** Lets running requests end, for at most 2 s. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Puts the control plane together and opens its REST port; the data plane is there but not started.
 * @param isAdminKey whether a text is the installation's own admin key
 * @throws GatewayError `HTTP_PORT_UNAVAILABLE`, or what the services throw when they load
 */
export async function createControlPlane(
  dependencies: GatewayDependencies,
  isAdminKey: (key: string) => boolean,
): Promise<ControlPlane> {
  const logger = dependencies.logger.child({ component: 'admin' });
  const authenticator = new Authenticator({ isAdminKey, keys: dependencies.store.apiKeys, logger });
  const { adapter, routes } = await createHttpAdapter({
    authenticate: (key) => authenticator.authenticate(key),
    http: dependencies.config.http,
    metrics: dependencies.metrics,
    rejected: (request, code) =>
      void app.get(AuditService, { strict: false }).record(rejectedEntry(request, code)),
    ...(dependencies.requestRates && { rates: dependencies.requestRates }),
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(dependencies), adapter, {
    logger: createNestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
  app.useGlobalFilters(new ProblemFilter(logger));
  app.useGlobalGuards(new QueryGuard());
  const { identity, config } = dependencies;
  app.get(ApiDocument, { strict: false }).describe(app, identity.version, config.eventTypes);
  const { host, port } = config.http;
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw portUnavailable(host, port, error as NodeJS.ErrnoException);
  }
  const settings = app.get(SettingsService);
  const agents = app.get(AgentsService);
  const follower = followStore(dependencies.store.changes, [agents, settings]);
  return {
    httpUrl: urlOf(app.getHttpServer().address() as AddressInfo),
    settings,
    agents,
    storeLoaded: follower.loaded,
    dataPlane: app.get(DataPlaneHost),
    namListener: app.get(NamListenerService, { strict: false }),
    routes: () => routes.list(),
    close: () => {
      follower.stop();
      return close(app);
    },
  };
}

async function close(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
  const closed = server.listening ? once(server, 'close') : Promise.resolve();
  try {
    await app.close();
    await closed;
  } finally {
    clearTimeout(timer);
  }
}

/** An address that stands for all of them is no address to connect to. */
function urlOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

function portUnavailable(host: string, port: number, error: NodeJS.ErrnoException): GatewayError {
  const why = error.code === 'EADDRINUSE' ? 'another program uses it' : error.message;
  return new GatewayError(
    'HTTP_PORT_UNAVAILABLE',
    `The REST API cannot listen on ${host}:${port}: ${why}.`,
    'Set GATEWAY_HTTP_PORT or GATEWAY_HTTP_HOST to what is free.',
    { cause: error },
  );
}
