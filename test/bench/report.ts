import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { markdown } from './end-to-end/render.js';
import type { Results } from './end-to-end/results.js';
import { replaceSection } from './end-to-end/replace-section.js';

/**
 * Makes Markdown of what `--json` wrote: `node dist/test/bench/report.js FILE [--into docs/reference/performance.md]`. Without `--into`
 * it goes to standard output.
 */
const { values, positionals } = parseArgs({
  options: { into: { type: 'string' } },
  allowPositionals: true,
});
const [file] = positionals;
if (file === undefined) {
  process.stderr.write('Usage: node dist/test/bench/report.js FILE [--into DOCUMENT]\n');
  process.exitCode = 1;
} else {
  const text = markdown(JSON.parse(await readFile(file, 'utf8')) as Results);
  if (values.into === undefined) process.stdout.write(text);
  else await writeFile(values.into, replaceSection(await readFile(values.into, 'utf8'), text));
}
