import { PermanentError, RetryableError, SinkError } from '@activity-gateway/pipeline/api';

/** What a person has to change: rights, a read-only file system, a missing folder, a folder in the file's place. */
const PERMANENT = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);

/**
 * The sink error for what the file system said. Nothing of the write has stayed in the file, so that everything a person
 * need not fix (a full disk, an I/O error, too many open files) can be tried again.
 */
export function classifyFileError(error: unknown, path: string): SinkError {
  if (error instanceof SinkError) return error;
  const code = (error as Partial<NodeJS.ErrnoException> | undefined)?.code ?? 'UNKNOWN';
  const message = `The file ${path} cannot be written (${code}).`;
  return PERMANENT.has(code)
    ? new PermanentError(message, code, { cause: error })
    : new RetryableError(message, code, 0, { cause: error });
}
