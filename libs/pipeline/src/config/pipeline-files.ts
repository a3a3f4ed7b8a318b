import { readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** Whether a path is a pattern. */
export const isPattern = (path: string): boolean => /[*?]/.test(path);

/**
 * Files that a pattern (`*` and `?` in the last part) means, sorted by name; hidden ones need a pattern that begins
 * with a dot. `undefined` when a directory of the pattern has a wildcard, which is not supported.
 */
export function matchFiles(pattern: string, base: string): string[] | undefined {
  const directory = resolve(base, dirname(pattern));
  if (isPattern(dirname(pattern))) return undefined;
  const expression = toExpression(basename(pattern));
  return entriesOf(directory)
    .filter(
      (name) =>
        expression.test(name) &&
        (!name.startsWith('.') || pattern.startsWith('.', pattern.lastIndexOf('/') + 1)),
    )
    .sort()
    .map((name) => join(directory, name));
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    // A directory that is not there holds no pipelines; the caller says that none was found.
    return [];
  }
}

function toExpression(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
}
