// Fails when documentation, comments and strings have more of the phrases of language.mjs, or more lines of prose over
// 120 columns, than language-debt.json allows. The debt only shrinks: `node .ci/check-language.mjs --update` lowers it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { CODE_RULES, PROSE_RULES } from './language.mjs';

const DEBT = new URL('language-debt.json', import.meta.url);
const COLUMNS = 120;
const SHOWN = 12;
const LONG_LINE = { name: 'long line', instead: `at most ${COLUMNS} columns` };
const NOT_OURS = /^(LICENSE|package-lock\.json|third-party\/|\.ci\/language|.*\/testcases\/)/;

/** The lines of a Markdown file without code. */
function proseOfMarkdown(text) {
  let fenced = false;
  return text.split('\n').map((line) => {
    if (line.trimStart().startsWith('```')) fenced = !fenced;
    return fenced ? '' : line.replace(/`[^`]*`/g, '``');
  });
}

/** The lines of a script, everything blanked but comments, strings and templates. */
function proseOfCode(text, name) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest);
  const kept = new Array(text.length).fill(false);
  const keep = (from, to) => kept.fill(true, from, to);
  const visit = (node) => {
    for (const each of ts.getLeadingCommentRanges(text, node.pos) ?? []) keep(each.pos, each.end);
    for (const each of ts.getTrailingCommentRanges(text, node.end) ?? []) keep(each.pos, each.end);
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      keep(node.getStart(source), node.end);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  let at = 0;
  return text.split('\n').map((line) => {
    const start = at;
    at += line.length + 1;
    return Array.from(line, (_, index) => (kept[start + index] ? line[index] : ' ')).join('');
  });
}

/** Tables and lines that are one link or one word cannot be wrapped. */
const canBeWrapped = (line) => !/^\s*\|/.test(line) && /\s\S/.test(line.slice(0, COLUMNS).trimStart());

function findingsOf(name) {
  const text = readFileSync(name, 'utf8');
  const markdown = name.endsWith('.md');
  const code = /\.(m?ts|mjs|cjs|js)$/.test(name);
  const raw = text.split('\n');
  const prose = markdown ? proseOfMarkdown(text) : code ? proseOfCode(text, name) : raw;
  const found = [];
  prose.forEach((line, index) => {
    for (const rule of PROSE_RULES) if (rule.pattern.test(line)) found.push({ rule, name, line: index + 1 });
    if (markdown && line !== '' && raw[index].length > COLUMNS && canBeWrapped(raw[index])) {
      found.push({ rule: LONG_LINE, name, line: index + 1 });
    }
  });
  if (!code) return found;
  raw.forEach((line, index) => {
    for (const rule of CODE_RULES) if (rule.pattern.test(line)) found.push({ rule, name, line: index + 1 });
  });
  return found;
}

const files = execFileSync('git', ['ls-files', '*.md', '*.ts', '*.mjs', '*.cjs', '*.yaml', '*.yml'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => name !== '' && !NOT_OURS.test(name));
const findings = files.flatMap(findingsOf);
const allowed = JSON.parse(readFileSync(DEBT, 'utf8'));
const counts = {};
for (const { rule } of findings) counts[rule.name] = (counts[rule.name] ?? 0) + 1;

for (const [name, count] of Object.entries(counts)) {
  if (count <= (allowed[name] ?? 0)) continue;
  process.exitCode = 1;
  const hits = findings.filter(({ rule }) => rule.name === name);
  console.error(
    `"${name}": ${count} times, ${allowed[name] ?? 0} allowed. Write: ${hits[0].rule.instead}. Found in:`,
  );
  for (const hit of hits.slice(0, SHOWN)) console.error(`  ${hit.name}:${hit.line}`);
  if (hits.length > SHOWN) console.error(`  and ${hits.length - SHOWN} more`);
}

const lower = Object.entries(allowed)
  .map(([name, count]) => [name, Math.min(count, counts[name] ?? 0)])
  .filter(([, count]) => count > 0);
if (process.argv.includes('--update')) {
  writeFileSync(DEBT, `${JSON.stringify(Object.fromEntries(lower), null, 2)}\n`);
}
