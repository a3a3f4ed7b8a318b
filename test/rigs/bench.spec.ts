import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startGatewayTarget, type GatewayTarget } from '../bench/end-to-end/gateway-target.js';
import { Identities } from '../bench/end-to-end/identities.js';
import type { LoadRun, Results } from '../bench/end-to-end/results.js';
import { RawAgent } from '../support/raw-agent.js';

const onLinux = existsSync('/proc/self/stat') ? describe : describe.skip;

/** Each scenario starts a gateway, which takes its time on a busy machine. */
const SEVERAL_GATEWAYS_MS = 240_000;

onLinux('the benchmark', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bench-spec-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it(
    'runs scenarios beside the bare loop, accounts for every event and writes its figures',
    async () => {
      const json = join(folder, 'out.json');
      const args = ['--scenario', 'null,clickhouse,file', '--seconds', '0.3', '--json', json];
      await promisify(execFile)(process.execPath, ['dist/test/bench/main.js', ...args]);

      const { runs } = JSON.parse(await readFile(json, 'utf8')) as Results;
      expect(runs.map(({ kind }) => kind)).toEqual(['bare', 'load', 'bare', 'load', 'bare', 'load', 'bare']);
      for (const { figures } of runs.filter((run): run is LoadRun => run.kind === 'load')) {
        expect(figures.events).toBeGreaterThan(0);
        expect(Object.keys(figures.cpuPerMillion)).toEqual(['reactors', 'control', 'clickhouse']);
        expect(figures.cpuPerMillion['reactors']).toBeGreaterThan(0);
        expect(figures.latency?.p99).toBeGreaterThan(0);
      }
    },
    SEVERAL_GATEWAYS_MS,
  );

  it('fails when an event is missing', async () => {
    const identities = await Identities.open();
    let target: GatewayTarget | undefined;
    try {
      const plan = { sink: 'clickhouse', spool: true, reactors: 1 } as const;
      target = await startGatewayTarget(plan, await identities.take(1));
      await send(target, 10);
      await target.settled(10);
      await target.verify(10);
      await expect(target.verify(11)).rejects.toThrow('Of 11 events the gateway received 10');
      await loseOne(target);
      await expect(target.verify(10)).rejects.toThrow('Of 10 events 9 are stored.');
    } finally {
      await target?.stop();
      await identities.dispose();
    }
  });
});

async function send(target: GatewayTarget, count: number): Promise<void> {
  const agent = await RawAgent.connect(target.port, target.agents[0]);
  for (let i = 0; i < count; i += 1) {
    const TimeLogged = new Date().toISOString();
    await agent.send({
      TimeLogged,
      ActivityType: 'FileSystem',
      Host: 'H',
      Operation: 'Read',
      Path: `p${i}`,
      UserName: 'u',
    });
  }
  await agent.end();
}

/** Takes a stored event away behind the gateway's back. */
async function loseOne({ gateway }: GatewayTarget): Promise<void> {
  await gateway.sql("ALTER TABLE activity.file_events DELETE WHERE path = 'p3' SETTINGS mutations_sync = 1");
}
