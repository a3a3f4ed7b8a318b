// npm run test:chaos -- [--minutes N] [--seed S]: the chaos suite. With minutes, its long form: actions at random, for so long.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '0' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!(minutes >= 0) || !Number.isInteger(seed)) {
  process.stderr.write('--minutes takes a number of minutes, --seed a whole number.\n');
  process.exit(2);
}
process.stdout.write(
  `seed ${seed}: repeat with npm run test:chaos -- --seed ${seed}${minutes > 0 ? ` --minutes ${minutes}` : ''}\n`,
);
const random = minutes > 0 ? ['test/chaos/random.spec.ts', '--runInBand'] : ['test/chaos'];
const { status } = spawnSync(process.execPath, ['test/run.mjs', ...random], {
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SEED: String(seed), CHAOS_MINUTES: String(minutes) },
});
process.exitCode = status ?? 1;
