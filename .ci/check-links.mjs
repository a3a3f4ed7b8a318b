// Fails when a relative link of a Markdown page leads to no file, or to no heading of one.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const LINK = /!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const EXTERNAL = /^(?:[a-z][a-z+.-]*:|\/)/i;

/** The lines of a page without fenced code and code spans. */
function textLines(page) {
  let fenced = false;
  return readFileSync(page, 'utf8')
    .split('\n')
    .map((line) => {
      if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced;
      return fenced ? '' : line;
    });
}

/** Anchors of a page, as GitHub makes them of its headings, and those that it sets itself. */
const anchorsOf = memoize((page) => {
  const seen = new Map();
  const anchors = new Set();
  for (const line of textLines(page)) {
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
    const [, heading] = /^#{1,6}\s+(.*?)\s*#*$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    anchors.add(times === 0 ? slug : `${slug}-${times}`);
  }
  return anchors;
});

function memoize(make) {
  const made = new Map();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key));
    return made.get(key);
  };
}

function faultOf(page, target) {
  if (EXTERNAL.test(target)) return undefined;
  const [path, anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)));
  if (!existsSync(file)) return 'no such file';
  if (anchor === undefined || statSync(file).isDirectory() || !file.endsWith('.md')) return undefined;
  return anchorsOf(file).has(anchor) ? undefined : 'no such heading';
}

const pages = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '' && existsSync(name) && !name.startsWith('third-party/'));
for (const page of pages) {
  textLines(page).forEach((line, index) => {
    for (const [, target] of line.replace(/`[^`]*`/g, '').matchAll(LINK)) {
      const fault = faultOf(page, target);
      if (fault === undefined) continue;
      process.stderr.write(`${page}:${index + 1}: ${target}: ${fault}\n`);
      process.exitCode = 1;
    }
  });
}
