import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { FaultProxy, type Fault } from '../support/fault-proxy.js';
import { pollUntil } from '../support/poll.js';
import { Dice, suiteSeed } from './dice.js';
import { Scene } from './scene.js';
import { KEPT, type Verdict } from './verdict.js';

const FAULTS: readonly Fault[] = ['cut-before', 'cut-after', 'late', 'refuse', 'hang', 'hang-after', 'none'];
/** Each of these has to be met before the storm ends. */
const TELLING: readonly Fault[] = ['cut-before', 'cut-after', 'hang', 'hang-after'];
const AT_LEAST_MS = 5_000;

interface Outcome {
  readonly verdict: Verdict;
  readonly proxy: FaultProxy;
}

describe(`a ClickHouse that misbehaves, seed ${suiteSeed}`, () => {
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  }, 120_000);

  /** Agents stream through a proxy that does harm to most inserts, until each kind of harm was done. */
  async function run(clickhouse: TestClickHouse): Promise<Outcome> {
    const proxy = await FaultProxy.start(clickhouse.endpoint.url);
    cleanUp.push(() => proxy.close());
    const scene = await Scene.start({ env: { CLICKHOUSE_URL: proxy.url }, requestTimeout: '2s' });
    cleanUp.push(() => scene.dispose());
    const dice = new Dice(suiteSeed);
    const missing = (): readonly Fault[] => TELLING.filter((fault) => !proxy.done.has(fault));
    // Every other fault is one that has not happened yet: there are few inserts while some of them hang.
    proxy.fault = () => dice.pick(missing().length > 0 && dice.pick([true, false]) ? missing() : FAULTS);
    await sleep(AT_LEAST_MS);
    await pollUntil('each fault to have happened', missing, ({ length }) => length === 0, 60_000);
    proxy.fault = () => 'none';
    return { verdict: await scene.finish(), proxy };
  }

  async function start(): Promise<TestClickHouse> {
    const clickhouse = await startTestClickHouse();
    cleanUp.push(() => clickhouse.stop());
    return clickhouse;
  }

  it('gets everything once, though it cuts, refuses, hangs and answers late', async () => {
    const { verdict, proxy } = await run(await start());
    expect(verdict).toMatchObject(KEPT);
    expect(verdict.acknowledged).toBe(verdict.sent);
    const changed = [...proxy.contents].filter(([, hashes]) => hashes.size > 1);
    expect(changed).toEqual([]);
  }, 180_000);

  it('negative control: without its deduplication window, events are stored twice', async () => {
    const clickhouse = await start();
    await clickhouse.run(
      'ALTER TABLE activity.file_events MODIFY SETTING non_replicated_deduplication_window = 0',
    );
    const { verdict } = await run(clickhouse);
    expect(verdict.lost).toEqual([]);
    expect(verdict.duplicates.length).toBeGreaterThan(0);
  }, 180_000);
});
