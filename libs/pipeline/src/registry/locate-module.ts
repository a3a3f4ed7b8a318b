import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { resolve as resolveModule } from 'import-meta-resolve';

/** A module of a package, and what the package's `package.json` says. */
export interface LocatedModule {
  readonly url: string;
  readonly name: string;
  readonly version: string;
}

/**
 * Finds the module that an npm package's name or a path means.
 * @param specifier a package as in `import`, or a path that begins with `.` or `/`: a module, or a package's folder
 * @param files     from which packages are looked for, in this order; a path is relative to the first
 * @returns `undefined` when it is not there
 * @throws Error when it is there and is no module that can be imported
 */
export function locateModule(specifier: string, files: readonly string[]): LocatedModule | undefined {
  const url = /^[./]/.test(specifier)
    ? locatePath(resolve(dirname(files[0] ?? '.'), specifier))
    : locatePackage(specifier, files);
  return url === undefined ? undefined : { url, ...packageOf(url) };
}

function locatePackage(specifier: string, files: readonly string[]): string | undefined {
  for (const file of files) {
    try {
      return resolveModule(specifier, pathToFileURL(file).href);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  return undefined;
}

function locatePath(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isDirectory()) return pathToFileURL(path).href;
  const manifest = join(path, 'package.json');
  const { name, exports } = readManifest(manifest);
  // A package may import itself by its name, if it has `exports`: so these need no reading of ours.
  return name !== undefined && exports !== undefined
    ? resolveModule(name, pathToFileURL(manifest).href)
    : pathToFileURL(createRequire(manifest).resolve(path)).href;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly exports?: unknown;
}

function readManifest(file: string): Manifest {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch {
    // It is not there, or Node says what is wrong with it when the module is imported.
    return {};
  }
}

/** The nearest `package.json` with a name; a file outside of any package counts as its own package. */
function packageOf(url: string): { name: string; version: string } {
  const file = fileURLToPath(url);
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const { name, version } = readManifest(join(folder, 'package.json'));
    if (name !== undefined) return { name, version: version ?? 'unknown' };
    if (folder === dirname(folder)) return { name: file, version: 'unknown' };
  }
}
