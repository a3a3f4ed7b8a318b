import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GATEWAY_ENTRY } from '../../entry-points.js';
import { GatewayProcess } from './gateway-process.js';

/** A gateway that was started for the demo. */
export interface StartedGateway {
  readonly process: GatewayProcess;
  /** Of its REST API. */
  readonly url: string;
  readonly logFile: string;
}

/** The demo brings everything itself: what the environment says of a real gateway must not reach it. */
const NOT_INHERITED = /^(GATEWAY_|CLICKHOUSE_|ACTIVITYMONITOR_|SYSLOG_TLS_|ADMIN_API_KEY$)/;

/** Starts this same program as a gateway, with its data in the directory and on ports that are free. */
export async function startGateway(dataDir: string): Promise<StartedGateway> {
  const port = await freePort();
  const logFile = join(dataDir, 'gateway.log');
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name));
  const gateway = await GatewayProcess.start({
    args: ['--enable-source-maps', GATEWAY_ENTRY, 'run'],
    env: {
      ...Object.fromEntries(inherited),
      GATEWAY_DATA_DIR: dataDir,
      GATEWAY_HTTP_HOST: '127.0.0.1',
      GATEWAY_HTTP_PORT: String(port),
      ACTIVITYMONITOR_TCP_PORT: '0',
      CLICKHOUSE_HTTP_PORT: '0',
    },
    dataDir,
    logFile,
  });
  return { process: gateway, url: `http://127.0.0.1:${port}`, logFile };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
