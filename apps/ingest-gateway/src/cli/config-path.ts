import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEFAULT_PATH = join('config', 'gateway.yaml');

/**
 * The gateway's configuration file, an absolute path: `GATEWAY_CONFIG`, else `config/gateway.yaml` below the working
 * directory where it is, else the one that comes with the program. The file need not exist.
 */
export function resolveConfigPath(env: NodeJS.ProcessEnv, cwd: string): string {
  const named = env.GATEWAY_CONFIG;
  if (named !== undefined && named !== '') return resolve(cwd, named);
  const own = resolve(cwd, DEFAULT_PATH);
  return existsSync(own) ? own : join(programRoot(), DEFAULT_PATH);
}

/**
 * Directory of the program, which holds `package.json` and `config/`. Found by going up from this file, because
 * sources and compiled files are at different depths.
 */
export function programRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  let directory = start;
  while (!existsSync(join(directory, 'package.json'))) {
    const above = dirname(directory);
    if (above === directory) return start;
    directory = above;
  }
  return directory;
}
