import { readFile, rename, rm, writeFile } from 'node:fs/promises';

/** The text of a file, or `undefined` when there is no such file; other errors are thrown. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes a file whole or not at all, over one that is there. `mode` holds from its first byte on. */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode, flag: 'wx', flush: true });
  await rename(temporary, path);
}
