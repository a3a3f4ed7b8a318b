import { readFileSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';
import { NOWHERE, type Position, type ProblemList } from './problems.js';
import { syntaxFinding } from './syntax-finding.js';

/** A configuration file beyond this is a mistake, such as a log; bytes. */
const MAX_BYTES = 1024 * 1024;

/** A parsed file; values are not looked at yet. */
export interface YamlFile {
  /** For messages: relative to the working directory where that is shorter. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly document: Document;
  /** Place of an offset in the text. */
  position(offset: number): Position;
}

/** The path as messages show it: relative to the working directory where that is shorter. */
export function displayPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short !== '' && short.length < path.length ? short : path;
}

/**
 * Reads and parses a file of YAML 1.2 (core schema, one document, no duplicate keys, no merge keys).
 * `undefined`, with problems added, when nothing can be done with it; duplicate keys alone do not prevent the rest.
 */
export function readYamlFile(path: string, cwd: string, problems: ProblemList): YamlFile | undefined {
  const absolute = resolve(cwd, path);
  const name = displayPath(absolute, cwd);
  const text = readText(absolute, name, problems);
  if (text === undefined) return undefined;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    prettyErrors: false,
    lineCounter,
  });
  const position = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const errors = [...document.errors, ...document.warnings];
  addSyntaxProblems(errors, text, name, position, problems);
  const usable = errors.every((error) => error.code === 'DUPLICATE_KEY');
  return usable ? { name, path: absolute, document, position } : undefined;
}

/** One problem a line: what follows from the first is noise. */
function addSyntaxProblems(
  errors: readonly YAMLError[],
  text: string,
  name: string,
  position: (offset: number) => Position,
  problems: ProblemList,
): void {
  const lines = new Set<number>();
  for (const error of errors) {
    const place = position(error.pos[0]);
    if (lines.has(place.line)) continue;
    lines.add(place.line);
    problems.add(name, place, syntaxFinding(error.code, text.slice(0, error.pos[0])));
  }
}

function readText(path: string, name: string, problems: ProblemList): string | undefined {
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) throw new Error(`it has ${size} bytes, more than 1 MiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    problems.add(name, NOWHERE, {
      code: 'CONFIG_UNREADABLE',
      message: `The file cannot be read: ${reasonOf(error)}.`,
      hint: 'Check the path and the permissions.',
    });
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'it is not UTF-8 text';
    default:
      return code ?? message;
  }
}
