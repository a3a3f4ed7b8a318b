import { GatewayError } from '@activity-gateway/pipeline/api';

/** Errors of which the command line is the cause. */
const USAGE_CODES: ReadonlySet<string> = new Set(['CLI_USAGE', 'AGENT_TOKEN_INVALID']);

/**
 * Prints an error on standard error: message, hint and code; the stack trace only at the log level `debug`.
 * @param who what it happened to, such as the name of an agent
 * @returns the exit code of a command that fails with it: 2 when the command line is wrong, otherwise 1
 */
export function printError(error: unknown, who?: string): number {
  process.stderr.write(`${who === undefined ? '' : `${who}: `}${describe(error)}\n`);
  return error instanceof GatewayError && USAGE_CODES.has(error.code) ? 2 : 1;
}

function describe(error: unknown): string {
  if (process.env['GATEWAY_LOG_LEVEL'] === 'debug' && error instanceof Error) return String(error.stack);
  if (!(error instanceof GatewayError)) return `Unexpected error: ${String(error)}`;
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return `${error.message}${hint} (${error.code})`;
}
