import { afterEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@app/pipeline/helpers';
import { Dice } from './dice.js';
import { Scene, type Victim } from './scene.js';

const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const minutes = Number(process.env['CHAOS_MINUTES'] ?? 0);
/** Kills of the short form; the long one goes on for its minutes. */
const SHORT_KILLS = 6;

describe(`kill -9 under load, seed ${seed}`, () => {
  let scene: Scene | undefined;
  afterEach(async () => {
    await scene?.dispose();
    scene = undefined;
  }, 120_000);

  it(
    'loses nothing that was acknowledged, and stores nothing twice',
    async () => {
      const dice = new Dice(seed);
      scene = await Scene.start();
      const end = Date.now() + minutes * 60_000;
      let kills = 0;
      while (minutes > 0 ? Date.now() < end : kills < SHORT_KILLS) {
        await sleep(dice.between(100, 2500));
        const victim = kills < 3 ? FIRST[kills]! : dice.pick<Victim>(['reactor', 'gateway', 'clickhouse']);
        await scene.kill(victim);
        kills += 1;
      }
      await sleep(1000);
      const verdict = await scene.finish();
      process.stdout.write(
        `seed ${seed}: ${kills} kills, ${verdict.sent} sent, ${verdict.acknowledged} acknowledged, ` +
          `${verdict.lost.length} lost, ${verdict.duplicates.length} stored twice\n`,
      );
      expect(verdict.acknowledged).toBeGreaterThan(1000);
      expect(verdict.lost).toEqual([]);
      expect(verdict.duplicates).toEqual([]);
    },
    (minutes + 5) * 60_000,
  );

  it('loses nothing when agents resend what was not acknowledged', async () => {
    scene = await Scene.start({ resend: 'always', agents: 2 });
    for (const victim of FIRST) {
      await sleep(1500);
      await scene.kill(victim);
    }
    const verdict = await scene.finish();
    expect(verdict.lost).toEqual([]);
    expect(verdict.duplicates).toEqual([]);
    expect(verdict.acknowledged).toBe(verdict.sent);
  }, 300_000);
});

/** Each part once, before chance decides. */
const FIRST: readonly Victim[] = ['reactor', 'clickhouse', 'gateway'];
