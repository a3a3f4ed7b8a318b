/** An operation took longer than it may; whether it had an effect is not known. */
export class OperationTimeout extends Error {
  override readonly name = 'OperationTimeout';
}

/**
 * Waits for an operation for a time, ms; it is not ended, only no longer waited for.
 * @throws OperationTimeout
 */
export async function withDeadline<T>(operation: () => Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OperationTimeout(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([operation(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
