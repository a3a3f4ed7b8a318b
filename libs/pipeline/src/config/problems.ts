import type { ConfigProblem } from './types.js';

/** Codes of what is wrong, or worth a warning, in configuration files: `docs/reference/errors.md` explains each. */
export const CONFIG_CODES = [
  'CONFIG_UNREADABLE',
  'CONFIG_SYNTAX',
  'CONFIG_DUPLICATE_KEY',
  'CONFIG_UNKNOWN_KEY',
  'CONFIG_MISSING_KEY',
  'CONFIG_WRONG_TYPE',
  'CONFIG_OUT_OF_RANGE',
  'CONFIG_WRONG_FORMAT',
  'CONFIG_UNKNOWN_VALUE',
  'CONFIG_INVALID_VALUE',
  'CONFIG_UNSET_VARIABLE',
  'CONFIG_BAD_INTERPOLATION',
  'CONFIG_UNKNOWN_PLUGIN',
  'CONFIG_WRONG_PLUGIN_KIND',
  'CONFIG_SOURCE_INSTANCES',
  'CONFIG_DUPLICATE_NAME',
  'CONFIG_UNKNOWN_SINK',
  'CONFIG_SOURCE_TAKEN',
  'CONFIG_NO_PIPELINE',
  'CONFIG_NO_PARSER',
  'CONFIG_EVENT_AGE_TOO_LONG',
  'CONFIG_PLUGIN_DEPRECATED',
] as const;

/** One of `CONFIG_CODES`. */
export type ConfigCode = (typeof CONFIG_CODES)[number];

/** A place in a file, from 1; 0 when the file could not be read. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a file that could not be read is pointed to. */
export const NOWHERE: Position = { line: 0, column: 0 };

/** What a problem says, without its place. */
export interface Finding {
  /** Of a plugin package also the code that the registry refuses it with. */
  readonly code: ConfigCode | `PLUGIN_${string}`;
  readonly message: string;
  readonly hint?: string;
}

/** Collects problems over all files. */
export class ProblemList {
  readonly #problems: ConfigProblem[] = [];
  readonly #seen = new Set<string>();

  /** Adds a problem; the same one at the same place counts once. */
  add(file: string, { line, column }: Position, { code, message, hint }: Finding): void {
    const identity = `${file}:${line}:${column}:${code}:${message}`;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#problems.push({ file, line, column, code, message, ...(hint === undefined ? {} : { hint }) });
  }

  /** Whether a file has any. */
  has(file: string): boolean {
    return this.#problems.some((problem) => problem.file === file);
  }

  /** How many there are. */
  get count(): number {
    return this.#problems.length;
  }

  /** Files in the order in which they were read, each from its top to its end. */
  list(): ConfigProblem[] {
    const files = [...new Set(this.#problems.map((problem) => problem.file))];
    return [...this.#problems].sort(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
  }
}
