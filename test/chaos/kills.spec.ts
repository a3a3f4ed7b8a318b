import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { Dice, suiteSeed } from './dice.js';
import { Scene, type Victim } from './scene.js';
import { describeVerdict, KEPT } from './verdict.js';

/** Each part, and each kind of end before and after another. */
const VICTIMS: readonly Victim[] = ['reactor', 'clickhouse', 'gateway', 'reactor', 'control', 'clickhouse'];

describe(`kill -9 under load, seed ${suiteSeed}`, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.dispose();
    scene = undefined;
  }, 120_000);

  it('loses nothing that was acknowledged, stores nothing twice, and recognises what is sent again', async () => {
    const dice = new Dice(suiteSeed);
    scene = await Scene.start({ perSecond: 800 });
    for (const victim of VICTIMS) {
      await sleep(dice.between(100, 2500));
      await scene.kill(victim);
    }
    await scene.untilAcknowledged(1000);
    const verdict = await scene.finish();
    process.stdout.write(`seed ${suiteSeed}: ${VICTIMS.length} kills, ${describeVerdict(verdict)}\n`);
    expect(verdict).toMatchObject(KEPT);
    expect(verdict.resent).toBeGreaterThan(0);
  }, 300_000);
});
