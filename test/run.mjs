// npm test [-- paths and options of Jest]. Without paths: all suites but chaos and rigs. A plugin's folder stands for its
// specs and its part of the contract suite. `--fast` leaves out suites that start engines or the gateway. The program is
// built when a suite starts it.
// Temporary folders of the tests lie in one folder, and processes that know it are theirs: the run fails when one of
// them is left at the end.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const PLUGIN_FOLDER = /^plugins\/(sources|parsers|sinks)\/[^/]+$/;
const PLUGIN_CONTRACT = 'test/contract/plugins.spec.ts';
/** Suites that start the built program. */
const NEEDS_BUILD = /^test(\/(e2e|chaos|rigs)(\/|$)|$)/;
/** Suites that run only when they are named. */
const ONLY_NAMED = /^test\/(chaos|rigs)(\/|$)/;
/** How long processes of the tests may take to end, ms. */
const LEFT_MS = 3_000;

const given = process.argv.slice(2);
const fast = given.includes('--fast');
const paths = given.filter((each) => !each.startsWith('-') && existsSync(each)).map(normalized);
const options = given.filter((each) => each !== '--fast' && !paths.includes(normalized(each)));
const plugins = paths.filter((path) => PLUGIN_FOLDER.test(path));
const named = paths.flatMap((path) => ONLY_NAMED.exec(path)?.[1] ?? []);
const projects = ['unit', 'contract', ...(fast ? [] : ['e2e']), ...named];

if (!fast && (paths.length === 0 || paths.some((path) => NEEDS_BUILD.test(path)))) build();
const directory = mkdtempSync(join(tmpdir(), 'tests-'));
// Tests run gateways as other users.
chmodSync(directory, 0o711);
process.exitCode = await jest();
if (await killLeftProcesses()) process.exitCode ||= 1;
rmSync(directory, { recursive: true, force: true });

function normalized(path) {
  return relative('.', path).replaceAll('\\', '/').replace(/\/$/, '');
}

function build() {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function jest() {
  const argv = [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  argv.push(...paths.map((path) => (PLUGIN_FOLDER.test(path) ? `${path}/` : path)));
  if (plugins.length > 0) argv.push(PLUGIN_CONTRACT);
  argv.push(...options);
  argv.push('--selectProjects', ...projects);
  const child = spawn(process.execPath, argv, {
    stdio: 'inherit',
    env: {
      ...process.env,
      TMPDIR: directory,
      ...(fast && { TEST_FAST: '1' }),
      ...(plugins.length > 0 && { TEST_PLUGINS: plugins.join() }),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

/** Kills what the tests have left running, on Linux, and says what it was. */
async function killLeftProcesses() {
  const deadline = Date.now() + LEFT_MS;
  let left = leftProcesses();
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = leftProcesses();
  }
  for (const { pid, command } of left) {
    process.stderr.write(`A test has left process ${pid} running: ${command}\n`);
    process.kill(pid, 'SIGKILL');
  }
  return left.length > 0;
}

function leftProcesses() {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const known = ['environ', 'cmdline'].some((name) =>
        readFileSync(`/proc/${pid}/${name}`, 'utf8').includes(directory),
      );
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 200);
      // A zombie has no command.
      return known && command !== '' ? [{ pid: Number(pid), command }] : [];
    } catch {
      return [];
    }
  });
}
