import { GatewayError } from '@app/pipeline/api';

/**
 * Tells people what went wrong, without a stack trace.
 * @throws the error itself when it is none of ours
 */
export function printError(error: unknown, who = ''): void {
  if (!(error instanceof GatewayError)) throw error;
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  process.stderr.write(`${who === '' ? '' : `${who}: `}${error.message}${hint} (${error.code})\n`);
}
