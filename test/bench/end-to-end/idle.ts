import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FILE = fileURLToPath(new URL('../idle-connections.js', import.meta.url));

/** Runs `idle-connections.ts`, which can be started alone too, in a process of its own. */
export async function measureIdle(): Promise<{ connections: number; bytesPerConnection: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [FILE, '--json']);
  return JSON.parse(stdout) as { connections: number; bytesPerConnection: number };
}
