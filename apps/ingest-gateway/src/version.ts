import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { programRoot } from './cli/config-path.js';

/** Version of the program, from its `package.json`; `unknown` where that cannot be read. */
export function programVersion(): string {
  try {
    const text = readFileSync(join(programRoot(), 'package.json'), 'utf8');
    return (JSON.parse(text) as { version?: string }).version ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
