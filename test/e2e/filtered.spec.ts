import { afterEach, describe, expect, it } from '@jest/globals';
import { AgentProgress, ChunkBuilder, runAgent, type MessageSource } from '@activity-gateway/agent';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { enrollClient } from '../support/enroll-client.js';
import { freePort, startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { childrenOf } from '../support/processes.js';

/** A plugin as somebody outside of this repository may write it: removes every third event, and all of every tenth hundred. */
const FILTER = `
const keeps = (n) => n % 3 !== 0 && Math.floor(n / 100) % 10 !== 5;
export const plugins = [{
  id: 'parsers.thinning',
  kind: 'parser',
  apiVersion: 1,
  stability: 'alpha',
  summary: 'Removes some events.',
  eventTypes: [],
  configSchema: { type: 'object', additionalProperties: false },
  create: () => ({
    apply(batch) {
      batch.events = batch.events.filter(({ value }) => keeps(Number(value.Path.slice(1))));
    },
  }),
}];
`;
const keeps = (n: number): boolean => n % 3 !== 0 && Math.floor(n / 100) % 10 !== 5;

const TOTAL = 6_000;
const pathOf = (n: number): string => `p${String(n).padStart(7, '0')}`;

function numbered(rate: number): MessageSource {
  let next = 0;
  return async (signal) => {
    if (signal.aborted) return undefined;
    const builder = new ChunkBuilder();
    for (; next < TOTAL && builder.lines < 50; next += 1) {
      const rest = { Host: 'H', Operation: 'Read', UserName: 'u', TimeLogged: new Date().toISOString() };
      builder.add('file', JSON.stringify({ ActivityType: 'FileSystem', Path: pathOf(next), ...rest }));
    }
    await sleep(50_000 / rate, signal);
    return builder.take();
  };
}

describe('a step that removes events', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 60_000);

  /** The configuration of the program with the plugin, which comes first. */
  async function configure(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'plugins-e2e-'));
    cleanUp.push(() => rm(directory, { recursive: true, force: true }));
    await cp(resolve('config'), join(directory, 'config'), { recursive: true });
    await writeFile(join(directory, 'thinning.mjs'), FILTER);
    const gateway = join(directory, 'config', 'gateway.yaml');
    const text = await readFile(gateway, 'utf8');
    await writeFile(gateway, text.replace(/^plugins: \[\]$/m, 'plugins: [../thinning.mjs]'));
    const pipeline = join(directory, 'config', 'pipelines', 'activity.yaml');
    const steps = await readFile(pipeline, 'utf8');
    await writeFile(pipeline, steps.replace('steps:\n', 'steps:\n  - use: parsers.thinning\n'));
    return gateway;
  }

  const start = async (env: NodeJS.ProcessEnv, dataDir: string): Promise<TestGateway> => {
    const gateway = await startGateway({ dataDir, env });
    cleanUp.push(() => gateway.dispose());
    return gateway;
  };

  it('comes from another package; the events it removes are acknowledged once over kills; the others are stored once', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-e2e-'));
    const env = {
      GATEWAY_CONFIG: await configure(),
      ACTIVITYMONITOR_TCP_PORT: String(await freePort()),
      ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
      ACTIVITYMONITOR_REACTOR_THREADS: '1',
    };
    let gateway = await start(env, dataDir);
    expect(gateway.log()).toMatch(/"plugins":\["parsers\.thinning"\].*"Plugin package loaded"/);
    const progress = new AgentProgress();
    const running = runAgent({
      client: await enrollClient(gateway, cleanUp),
      source: numbered(1_500),
      acks: { agentHost: 'AGENT' },
      backoff: { initialMs: 20, maxMs: 200 },
      maxFailures: 1_000,
      progress,
    });
    for (let round = 1; round <= 3; round += 1) {
      await pollUntil('more Acks', () => progress.acknowledged > round * 1_000);
      // All at once: nothing of what is not on disk survives.
      for (const pid of [...childrenOf(gateway.pid), gateway.pid]) process.kill(pid, 'SIGKILL');
      await gateway.exited;
      gateway = await start(env, dataDir);
    }
    await running;
    expect(progress).toMatchObject({ sent: TOTAL, acknowledged: TOTAL, unconfirmed: 0, maybeTwice: 0 });
    expect(progress.resent).toBeGreaterThan(0);
    const expected = Array.from({ length: TOTAL }, (_, n) => n)
      .filter(keeps)
      .map(pathOf);
    const stored = async (): Promise<string[]> =>
      (await gateway.sql<{ path: string }>('SELECT path FROM activity.file_events ORDER BY path')).map(
        ({ path }) => path,
      );
    await pollUntil('all rows', stored, ({ length }) => length >= expected.length, 60_000);
    expect(await stored()).toEqual(expected);
    const [{ counts }] = (await gateway.status()).pipelines as unknown as [
      { counts: Record<string, number> },
    ];
    expect(counts['filtered']).toBeGreaterThan(0);
    expect(counts['received']).toBe(
      ['delivered', 'deadLettered', 'filtered', 'dropped', 'inFlight'].reduce(
        (sum, key) => sum + counts[key]!,
        0,
      ),
    );
  }, 180_000);
});
