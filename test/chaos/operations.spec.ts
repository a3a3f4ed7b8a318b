import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { pollUntil } from '../support/poll.js';
import { Dice, suiteSeed } from './dice.js';
import { Scene } from './scene.js';
import { randomSetting, resetSettings, setSetting } from './settings.js';
import { KEPT } from './verdict.js';

const RESETS = 12;
const CHANGES = 25;
const REACTORS = [3, 1, 4, 2, 1] as const;

describe(`under load, seed ${suiteSeed}`, () => {
  let scene: Scene;
  afterEach(async () => {
    await scene?.dispose();
  }, 120_000);

  it('TCP resets, towards agents and towards the gateway: nothing is lost, nothing is there twice', async () => {
    scene = await Scene.start();
    const dice = new Dice(suiteSeed);
    let broken = 0;
    for (let i = 0; i < RESETS; i += 1) {
      await sleep(dice.between(50, 700));
      broken += scene.network.reset(dice.pick(['client', 'server', 'both']), () => dice.next() < 0.7);
    }
    await scene.untilAcknowledged(500);
    const verdict = await scene.finish();
    expect(broken).toBeGreaterThan(0);
    expect(verdict.resent).toBeGreaterThan(0);
    expect(verdict).toMatchObject(KEPT);
  }, 180_000);

  it('settings at random within their ranges', async () => {
    scene = await Scene.start();
    const dice = new Dice(suiteSeed);
    for (let i = 0; i < CHANGES; i += 1) {
      await sleep(dice.between(20, 300));
      await setSetting(scene.gateway, randomSetting(dice));
    }
    await scene.untilAcknowledged(500);
    await resetSettings(scene.gateway);
    expect(await scene.finish()).toMatchObject(KEPT);
  }, 180_000);

  it('reactors added and removed', async () => {
    scene = await Scene.start();
    for (const value of REACTORS) {
      await setSetting(scene.gateway, { name: 'activitymonitor_reactor_threads', value });
      await pollUntil(
        `${value} reactors`,
        async () => (await scene.gateway.status()).listener.reactors,
        (reactors) => reactors.length === value && reactors.every(({ state }) => state === 'ready'),
        60_000,
      );
      await scene.untilAcknowledged(300);
    }
    expect(await scene.finish()).toMatchObject(KEPT);
  }, 180_000);

  it('a second start on the data directory is refused and says why, and the first goes on', async () => {
    scene = await Scene.start();
    await scene.untilAcknowledged(100);
    const { pid } = (await scene.gateway.status()).listener.reactors[0]!;
    await expect(scene.startAnother()).rejects.toThrow(
      new RegExp(
        `Another gateway uses this data directory: process ${scene.gateway.pid} .*DATA_DIR_IN_USE`,
        's',
      ),
    );
    await scene.untilAcknowledged(100);
    expect((await scene.gateway.status()).listener.reactors[0]).toMatchObject({ pid, state: 'ready' });
    expect(await scene.finish()).toMatchObject(KEPT);
  }, 180_000);
});
