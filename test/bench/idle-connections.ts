import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadOrCreateIdentity } from '@activity-gateway/agent';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { enrollRaw, RawAgent, type AgentCredentials } from '../support/raw-agent.js';

/**
 * What an idle agent costs: opens connections to the built gateway with one reactor, lets each send one event, waits, and
 * prints what the reactor's resident memory grew by for each of them. Run with `node dist/test/bench/idle-connections.js`.
 */
const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '990' },
    bytes: { type: 'string', default: '100' },
    settle: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const connections = Number(values.connections);
const settleMs = Number(values.settle) * 1_000;
/** Size of the event that each has sent before it idles. */
const bytes = Number(values.bytes);
/** Opened and closed before anything is measured, so that code and shared buffers are not taken for connections. */
const WARM_UP = 100;
const AT_ONCE = 20;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function open(port: number, agent: AgentCredentials, count: number): Promise<RawAgent[]> {
  const opened: RawAgent[] = [];
  while (opened.length < count) {
    const next = Array.from({ length: Math.min(AT_ONCE, count - opened.length) }, async () => {
      const connection = await RawAgent.connect(port, agent);
      await connection.send(event());
      return connection;
    });
    opened.push(...(await Promise.all(next)));
  }
  return opened;
}

function event(): object {
  const TimeLogged = new Date().toISOString();
  const Path = 'p'.repeat(bytes);
  return { TimeLogged, ActivityType: 'FileSystem', Host: 'IDLE', Operation: 'Read', Path, UserName: 'u' };
}

async function reactorBytes(gateway: TestGateway): Promise<number> {
  await sleep(settleMs);
  return (await gateway.status()).listener.reactors[0]?.rssBytes ?? Number.NaN;
}

const gateway = await startGateway({
  env: {
    ACTIVITYMONITOR_REACTOR_THREADS: '1',
    ACTIVITYMONITOR_MAX_CONNECTIONS: '1000',
    GATEWAY_MAX_CONNECTIONS_PER_KEY: '1000',
    ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
  },
});
const home = await mkdtemp(join(tmpdir(), 'idle-'));
try {
  const agent = await loadOrCreateIdentity(home, 'IDLE');
  const port = await gateway.agentPort();
  await enrollRaw(port, agent, await gateway.token(), 'IDLE');
  for (const connection of await open(port, agent, WARM_UP)) await connection.end();
  const before = await reactorBytes(gateway);
  const idle = await open(port, agent, connections);
  const after = await reactorBytes(gateway);
  const each = Math.round((after - before) / connections);
  const figures = { connections, before, after, bytesPerConnection: each, node: process.version };
  process.stdout.write(
    values.json
      ? `${JSON.stringify(figures)}\n`
      : `${connections} idle connections: ${(each / 1024).toFixed(1)} KiB each ` +
          `(reactor ${(before / 2 ** 20).toFixed(1)} -> ${(after / 2 ** 20).toFixed(1)} MiB), Node ${process.version}\n`,
  );
  await Promise.all(idle.map((connection) => connection.end()));
} finally {
  await gateway.dispose();
  await rm(home, { recursive: true, force: true });
}
