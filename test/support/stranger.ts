import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LIBRARY = '@activity-gateway/pipeline';
/** Packages that the author of a plugin installs to compile it and to run the contract kit. */
const TOOLS = ['typescript', '@types/node', 'jest', '@jest/globals', 'fast-check'];

/** What a command of the stranger's has said. */
export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

/** A folder outside of the repository that holds a plugin package, with the packed library and no registry. */
export interface Stranger {
  /** The temporary folder; to be removed by who asked for it. */
  readonly folder: string;
  /** The package's own folder. */
  readonly package: string;
  /** The library's files as the tarball has them. */
  readonly packed: readonly string[];
  /** Runs Node.js in the package's folder, without the environment of this repository's tools. */
  node(...args: readonly string[]): Promise<CommandResult>;
}

/**
 * Installs `test/stranger` with the library from the tarball that `npm pack` makes of the build. The library's
 * dependencies and the tools are links to what is installed here, so that no registry is asked.
 */
export async function installStranger(): Promise<Stranger> {
  const folder = await mkdtemp(join(tmpdir(), 'stranger-'));
  const home = join(folder, 'door-events');
  await cp(resolve('test/stranger'), home, { recursive: true });
  const library = join(home, 'node_modules', LIBRARY);
  await unpackLibrary(folder, library);
  const { dependencies } = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), ...TOOLS]) {
    const target = join(home, 'node_modules', name);
    await mkdir(dirname(target), { recursive: true });
    await symlink(resolve('node_modules', name), target);
  }
  const node = (...args: readonly string[]): Promise<CommandResult> => runNode(home, args);
  return { folder, package: home, packed: await readdir(library, { recursive: true }), node };
}

async function unpackLibrary(folder: string, library: string): Promise<void> {
  const args = ['pack', '--offline', '--workspace', LIBRARY, '--pack-destination', folder, '--json'];
  const { stdout } = await run('npm', args, { cwd: resolve('.') });
  const [{ filename } = { filename: '' }] = JSON.parse(stdout) as { filename: string }[];
  await run('tar', ['-xzf', join(folder, filename), '-C', folder]);
  await mkdir(dirname(library), { recursive: true });
  await rename(join(folder, 'package'), library);
}

async function runNode(cwd: string, args: readonly string[]): Promise<CommandResult> {
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, ...env } = process.env;
  try {
    const { stdout, stderr } = await run(process.execPath, args, { cwd, env: { ...env, CI: '1' } });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}
