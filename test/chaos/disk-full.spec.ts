import { afterEach, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { startTestClickHouse } from '../support/clickhouse.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { pollUntil } from '../support/poll.js';
import { noSmallDisk, SmallDisk } from '../support/small-disk.js';
import { killIfThere, Scene, type SceneOptions } from './scene.js';
import { KEPT } from './verdict.js';

const MIB = 2 ** 20;

describe('a disk without room', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 120_000);

  /** Large events of three agents, into a gateway whose ClickHouse hangs. */
  async function start(options: SceneOptions): Promise<{ scene: Scene; proxy: FaultProxy }> {
    const clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    const proxy = await FaultProxy.start(clickhouse.endpoint.url);
    cleanUp.push(() => proxy.close());
    const scene = await Scene.start({
      agents: ['never', 'numbered', 'numbered'],
      requestTimeout: '2s',
      ...options,
      env: { CLICKHOUSE_URL: proxy.url, ACTIVITYMONITOR_REACTOR_THREADS: '1', ...options.env },
    });
    cleanUp.push(() => scene.dispose());
    await scene.untilAcknowledged(100);
    proxy.fault = () => 'hang';
    return { scene, proxy };
  }

  const untilFull = (scene: Scene): Promise<unknown> =>
    pollUntil(
      'the spool to be full',
      async () => (await scene.gateway.status()).pipelines[0]?.queue.spool?.full,
      (full) => full === 1,
      120_000,
    );

  /** Everything is written once, now that there is room. */
  async function expectKept(scene: Scene, proxy: FaultProxy): Promise<void> {
    proxy.fault = () => 'none';
    proxy.breakConnections();
    await scene.untilAcknowledged(1000);
    expect(await scene.finish()).toMatchObject(KEPT);
  }

  it('a spool at its limit: agents wait, and everything is stored once when there is room', async () => {
    const { scene, proxy } = await start({
      perSecond: 1500,
      padding: 6000,
      env: { GATEWAY_SPOOL_MAX_BYTES: '64MiB' },
    });
    await untilFull(scene);
    await scene.kill('reactor');
    await untilFull(scene);
    await scene.kill('gateway');
    await untilFull(scene);
    await expectKept(scene, proxy);
  }, 300_000);

  (noSmallDisk === undefined ? it : it.skip)(
    `a file system that others have filled to the last byte${noSmallDisk === undefined ? '' : ` (skipped: ${noSmallDisk})`}`,
    async () => {
      const disk = await SmallDisk.mount(128 * MIB);
      cleanUp.push(() => disk.unmount());
      const { scene, proxy } = await start({
        perSecond: 300,
        dataDir: join(disk.directory, 'data'),
        env: { GATEWAY_SPOOL_DISK_RESERVE: '16MiB' },
      });
      await disk.fill();
      await untilFull(scene);
      await scene.kill('reactor');
      await untilFull(scene);
      for (const pid of await scene.processesOf('gateway')) killIfThere(pid);
      await scene.gateway.exited;
      await expect(scene.startAnother()).rejects.toThrow(/DATA_DIR_UNUSABLE/);
      await disk.free();
      await scene.startAgain();
      await expectKept(scene, proxy);
    },
    300_000,
  );
});
