import { readFile } from 'node:fs/promises';
import { markdown } from './end-to-end/render.js';
import type { Results } from './end-to-end/results.js';

/** Makes Markdown of what `--json` wrote: `node dist/test/bench/report.js FILE`. */
const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Usage: node dist/test/bench/report.js FILE\n');
  process.exitCode = 1;
} else {
  process.stdout.write(markdown(JSON.parse(await readFile(file, 'utf8')) as Results));
}
