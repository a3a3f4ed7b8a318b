import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { pollUntil } from '../support/poll.js';
import { Dice, suiteSeed } from './dice.js';
import { Scene } from './scene.js';
import { KEPT } from './verdict.js';

const HOUR_MS = 3_600_000;
const COUNT = "SELECT count() AS n FROM activity.file_events WHERE host = 'CHAOS'";
/** Rows that were received, as the gateway saw it, long before and long after they were. */
const RECEIVED = `SELECT countIf(received_at < event_time - INTERVAL 50 MINUTE) AS back,
  countIf(received_at > event_time + INTERVAL 50 MINUTE) AS forward FROM activity.file_events`;

describe(`a clock that jumps under load, seed ${suiteSeed}`, () => {
  let scene: Scene;
  afterEach(async () => {
    await scene?.dispose();
  }, 120_000);

  const stored = async (): Promise<number> => Number((await scene.gateway.sql(COUNT))[0]!['n']);
  const acknowledged = (): number => scene.agents.reduce((sum, agent) => sum + agent.acknowledged.size, 0);

  /** Moves the clock, and waits until what was acknowledged before is written: well within the hour. */
  async function jump(ms: number): Promise<void> {
    scene.clock.jump(ms);
    await sleep(100);
    const before = acknowledged();
    await pollUntil('what was acknowledged before the jump to be stored', stored, (n) => n >= before);
    await scene.untilAcknowledged(200);
  }

  it('delays, loses and doubles nothing, an hour back, an hour forward, and over a kill -9', async () => {
    // Few enough events that no write has its full number of rows: only time brings them to ClickHouse.
    scene = await Scene.start({ perSecond: 100 });
    const dice = new Dice(suiteSeed);
    await scene.untilAcknowledged(200);
    await sleep(dice.between(100, 1000));
    await jump(-HOUR_MS);
    await sleep(dice.between(100, 1000));
    await jump(2 * HOUR_MS);
    scene.clock.jump(-HOUR_MS);
    await scene.kill('gateway');
    await scene.untilAcknowledged(200);
    await jump(-HOUR_MS);
    const verdict = await scene.finish();
    expect(verdict).toMatchObject(KEPT);
    // The clock has really moved.
    const [row] = await scene.gateway.sql<{ back: string; forward: string }>(RECEIVED);
    expect(Number(row!.back)).toBeGreaterThan(0);
    expect(Number(row!.forward)).toBeGreaterThan(0);
  }, 300_000);
});
