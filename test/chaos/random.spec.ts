import { afterEach, describe, expect, it } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { startTestClickHouse } from '../support/clickhouse.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { noSmallDisk, SmallDisk } from '../support/small-disk.js';
import { suiteSeed } from './dice.js';
import { Havoc, type Stage } from './havoc.js';
import { describeAction, KINDS, plan, type ActionKind } from './plan.js';
import { Scene } from './scene.js';
import { describeVerdict, KEPT, type Verdict } from './verdict.js';

/** 0: the short form, each kind of action once. */
const minutes = Number(process.env['CHAOS_MINUTES'] ?? 0);
const DISK_BYTES = 512 * 2 ** 20;

describe(`everything at once, seed ${suiteSeed}`, () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 120_000);

  async function prepare(): Promise<Stage> {
    const clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    const proxy = await FaultProxy.start(clickhouse.endpoint.url);
    cleanUp.push(() => proxy.close());
    const disk = noSmallDisk === undefined ? await SmallDisk.mount(DISK_BYTES) : undefined;
    if (disk !== undefined) cleanUp.push(() => disk.unmount());
    const scene = await Scene.start({
      agents: ['never', 'always', 'numbered', 'numbered', 'numbered'],
      perSecond: 300,
      requestTimeout: '3s',
      env: { CLICKHOUSE_URL: proxy.url, GATEWAY_SPOOL_DISK_RESERVE: '16MiB' },
      ...(disk !== undefined && { dataDir: join(disk.directory, 'data') }),
    });
    cleanUp.push(() => scene.dispose());
    return { scene, clickhouse, proxy, disk };
  }

  /** What a verdict that is not as it should be can be traced back with. */
  async function keepLog({ scene }: Stage, { lost, duplicates, unrecognised }: Verdict): Promise<void> {
    if (lost.length + duplicates.length + unrecognised === 0) return;
    const file = join(tmpdir(), `chaos-${suiteSeed}.log`);
    await writeFile(file, scene.log());
    process.stdout.write(`seed ${suiteSeed}: what the gateway has logged is in ${file}\n`);
  }

  it(
    'loses nothing that was acknowledged, stores nothing twice, and recognises what is sent again',
    async () => {
      const stage = await prepare();
      const havoc = new Havoc(stage);
      const tally = new Map<ActionKind | `${ActionKind}, ${string}`, number>();
      const end = Date.now() + minutes * 60_000;
      let steps = 0;
      for (const { pauseMs, action } of plan(suiteSeed)) {
        if (minutes > 0 ? Date.now() >= end : steps >= KINDS) break;
        await sleep(pauseMs);
        steps += 1;
        if (minutes > 0) process.stdout.write(`${steps}: ${describeAction(action)}\n`);
        const outcome = await havoc.do(action);
        const name = outcome === 'done' ? action.kind : (`${action.kind}, ${outcome}` as const);
        tally.set(name, (tally.get(name) ?? 0) + 1);
      }
      await havoc.calm();
      await stage.scene.untilAcknowledged(500);
      const verdict = await stage.scene.finish();
      const kinds = [...tally].sort().map(([kind, count]) => `${count} ${kind}`);
      process.stdout.write(`seed ${suiteSeed}: ${steps} actions (${kinds.join('; ')})\n`);
      process.stdout.write(`seed ${suiteSeed}: ${describeVerdict(verdict)}\n`);
      await keepLog(stage, verdict);
      expect(verdict).toMatchObject(KEPT);
      expect([...stage.proxy.contents].filter(([, contents]) => contents.size > 1)).toEqual([]);
    },
    (minutes + 8) * 60_000,
  );
});
