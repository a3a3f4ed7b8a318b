// npm run test:chaos -- [--minutes N] [--seed S]: the chaos suite; without minutes its short form.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '0' }, seed: { type: 'string' } },
});
const seed = values.seed ?? String(Date.now() % 1_000_000);
process.stdout.write(
  `seed ${seed}: repeat with npm run test:chaos -- --minutes ${values.minutes} --seed ${seed}\n`,
);
const jest = [
  '--experimental-vm-modules',
  '--no-warnings=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const { status } = spawnSync(process.execPath, [...jest, '--selectProjects', 'chaos', '--runInBand'], {
  stdio: 'inherit',
  env: { ...process.env, CHAOS_SEED: seed, CHAOS_MINUTES: values.minutes },
});
process.exitCode = status ?? 1;
