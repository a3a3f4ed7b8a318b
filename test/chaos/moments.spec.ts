import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { FaultProxy, type Moment } from '../support/fault-proxy.js';
import { pollUntil } from '../support/poll.js';
import { killIfThere, Scene, type Victim } from './scene.js';
import { KEPT } from './verdict.js';

/** What ClickHouse has of the insert when its sender is dead: nothing, all, or either. */
type Has = 'nothing' | 'all' | 'either';

const MOMENTS: readonly (readonly [string, Moment, Has])[] = [
  ['before an insert', 'before', 'nothing'],
  ['inside an insert, when ClickHouse has half of it', 'half', 'nothing'],
  ['inside an insert, when ClickHouse has all of it and has not answered', 'inside', 'either'],
  ['between an insert and its commit record', 'committed', 'all'],
  ['right after the answer to an insert', 'after', 'all'],
];

interface Rows {
  readonly all: number;
  readonly distinct: number;
}

describe.each<Victim>(['reactor', 'gateway'])('kill -9 of the %s at a known moment', (victim) => {
  let clickhouse: TestClickHouse;
  let proxy: FaultProxy;
  let scene: Scene;

  beforeAll(async () => {
    clickhouse = await startTestClickHouse();
    proxy = await FaultProxy.start(clickhouse.endpoint.url);
    scene = await Scene.start({
      agents: ['never', 'numbered'],
      perSecond: 250,
      env: { CLICKHOUSE_URL: proxy.url, ACTIVITYMONITOR_REACTOR_THREADS: '1' },
    });
  }, 60_000);
  afterAll(async () => {
    proxy?.release();
    await scene?.dispose();
    await proxy?.close();
    await clickhouse?.stop();
  }, 60_000);

  /** What ClickHouse has of the entries that a token names: `<gateway>/<epoch>/<table>/<first>-<last>`. */
  async function rowsOf(token: string): Promise<Rows> {
    const [gateway, epoch, table, range] = token.split('/');
    const [first, last] = range!.split('-').map((sequence) => `${gateway}/${epoch}/${sequence}`);
    const [rows] = await clickhouse.rows<Rows>(
      `SELECT count() AS all, uniqExact(path) AS distinct FROM activity.${table}
       WHERE ingest_batch BETWEEN '${first}' AND '${last}'`,
    );
    return rows!;
  }

  /** Kills processes when the next insert is at the moment; gives the insert's token. */
  function killAt(moment: Moment, pids: readonly number[]): Promise<string> {
    return new Promise((resolve) =>
      proxy.catchNext(moment, ({ token }) => {
        pids.forEach(killIfThere);
        resolve(token);
      }),
    );
  }

  it.each(MOMENTS)(
    '%s: the batch is stored once, with the same bytes',
    async (_, moment, has) => {
      await scene.untilAcknowledged(100);
      const token = await killAt(moment, await scene.processesOf(victim));
      const { all } = await rowsOf(token);
      if (has === 'nothing') expect(all).toBe(0);
      if (has === 'all') expect(all).toBeGreaterThan(0);
      proxy.release();
      if (victim === 'gateway') await scene.startAgain();
      await pollUntil('the batch to be stored', async () => (await rowsOf(token)).all, Boolean, 60_000);
      await scene.untilAcknowledged(100);
      const rows = await rowsOf(token);
      expect(rows.all).toBe(rows.distinct);
      expect(proxy.contents.get(token)!.size).toBe(1);
    },
    120_000,
  );

  it('after all of them, nothing that was acknowledged is lost and nothing is there twice', async () => {
    const verdict = await scene.finish();
    expect(verdict).toMatchObject(KEPT);
    expect(verdict.acknowledged).toBeGreaterThan(MOMENTS.length * 200);
  }, 200_000);
});
