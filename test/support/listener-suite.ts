import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach } from '@jest/globals';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { PROGRAM, startGateway, type GatewayStatus, type TestGateway } from './gateway.js';
import { pollUntil } from './poll.js';
import { enrollRaw, type AgentCredentials } from './raw-agent.js';

/** What tests of the listener share: gateways that write once a second, and questions to them. */
export interface ListenerSuite {
  /** Steps that run after each test, the last one first. */
  readonly cleanUp: (() => Promise<unknown>)[];
  readonly start: (env?: NodeJS.ProcessEnv, waitReady?: boolean) => Promise<TestGateway>;
}

/** Call it in a `describe`: gateways it starts are stopped after each test. */
export function listenerSuite(): ListenerSuite {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);
  const start = async (env: NodeJS.ProcessEnv = {}, waitReady = true): Promise<TestGateway> => {
    const gateway = await startGateway({
      env: { ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1', ...env },
      waitReady,
    });
    cleanUp.push(() => gateway.dispose());
    return gateway;
  };
  return { cleanUp, start };
}

/** Enrolls an agent and returns its key and certificate. */
export async function enroll(gateway: TestGateway, host = 'AGENT'): Promise<AgentCredentials> {
  const agent = await createTestCertificate({ commonName: host });
  await enrollRaw(await gateway.agentPort(), agent, await gateway.token(), host);
  return agent;
}

/** The listener's part of the status. */
export async function listener(gateway: TestGateway): Promise<GatewayStatus['listener']> {
  return (await gateway.status()).listener;
}

/** Waits until `count` different paths of a host are stored. */
export function storedAll(gateway: TestGateway, host: string, count: number): Promise<unknown> {
  const sql = `SELECT uniqExact(path) AS n FROM activity.file_events WHERE host = '${host}'`;
  return pollUntil(
    `${count} events of ${host}`,
    async () => Number((await gateway.sql(sql))[0]!['n']),
    (n) => n === count,
  );
}

/** Runs a command of the program with the admin key of a gateway. */
export async function command(
  argv: string[],
  { dataDir }: TestGateway,
): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    env: { ...process.env, GATEWAY_DATA_DIR: dataDir },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = await once(child, 'close');
  return { code, output };
}
