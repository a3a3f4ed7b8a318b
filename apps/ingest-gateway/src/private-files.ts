import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises';

/** Bits of a mode that let the group and others in. */
export const OTHERS = 0o077;

/** Takes from this process, and from those it starts, the right to create anything that others may open. */
export function keepFilesPrivate(): void {
  process.umask(OTHERS);
}

/**
 * Creates a directory that only this user may enter, with its parents. An existing one is closed to others, unless it
 * belongs to another user.
 * @throws Error when it cannot be created
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { uid, mode } = await stat(path);
  if (uid === process.geteuid?.() && (mode & OTHERS) !== 0) await chmod(path, mode & 0o7777 & ~OTHERS);
}

/**
 * Writes a file that only this user may read: whole or not at all, and closed from its first moment, whatever mode the
 * file had before.
 * @throws Error of the file system
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
