import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@app/pipeline/helpers';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { FaultProxy, type Fault } from '../support/fault-proxy.js';
import { Dice } from './dice.js';
import { Scene, type Verdict } from './scene.js';

const FAULTS: readonly Fault[] = ['cut-before', 'cut-after', 'late', 'refuse', 'none'];

describe('a ClickHouse that misbehaves', () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 120_000);

  /** Agents stream through a proxy that does harm to most inserts for some seconds. */
  async function run(clickhouse: TestClickHouse): Promise<{ verdict: Verdict; done: Map<Fault, number> }> {
    const proxy = await FaultProxy.start(clickhouse.endpoint.url);
    cleanUp.push(() => proxy.close());
    const scene = await Scene.start({ env: { CLICKHOUSE_URL: proxy.url }, agents: 3 });
    cleanUp.push(() => scene.dispose());
    const dice = new Dice(7);
    proxy.fault = () => dice.pick(FAULTS);
    await sleep(8000);
    proxy.fault = () => 'none';
    return { verdict: await scene.finish(), done: proxy.done };
  }

  async function start(): Promise<TestClickHouse> {
    const clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    return clickhouse;
  }

  it('gets everything once, though it cuts, refuses and answers late', async () => {
    const { verdict, done } = await run(await start());
    expect(done.get('cut-after')).toBeGreaterThan(0);
    expect(verdict.lost).toEqual([]);
    expect(verdict.duplicates).toEqual([]);
    expect(verdict.acknowledged).toBe(verdict.sent);
  }, 180_000);

  it('negative control: without its deduplication window, events are stored twice', async () => {
    const clickhouse = await start();
    await clickhouse.run(
      'ALTER TABLE activity.file_events MODIFY SETTING non_replicated_deduplication_window = 0',
    );
    const { verdict, done } = await run(clickhouse);
    expect(done.get('cut-after')).toBeGreaterThan(0);
    expect(verdict.lost).toEqual([]);
    expect(verdict.duplicates.length).toBeGreaterThan(0);
  }, 180_000);
});
