#!/usr/bin/env node
import { GatewayError } from '@app/pipeline/api';
import { findCommand } from './cli/commands.js';
import { keepFilesPrivate } from './private-files.js';

/** What is left open after a command has ended must not keep the process alive for longer than this, ms. */
const LINGER_MS = 3_000;

async function main(argv: readonly string[]): Promise<number> {
  const found = findCommand(argv);
  if (typeof found === 'string') {
    process.stderr.write(`${found}\n`);
    return 2;
  }
  try {
    return await found.command.run(found.rest);
  } catch (error) {
    process.stderr.write(describe(error));
    return 1;
  }
}

/** One line for users; the stack trace only for who debugs. */
function describe(error: unknown): string {
  if (process.env['GATEWAY_LOG_LEVEL'] === 'debug' && error instanceof Error) return `${error.stack}\n`;
  if (!(error instanceof GatewayError)) return `Unexpected error: ${String(error)}\n`;
  const hint = error.hint === undefined ? '' : ` ${error.hint}`;
  return `${error.message}${hint} (${error.code})\n`;
}

keepFilesPrivate();
process.exitCode = await main(process.argv.slice(2));
setTimeout(() => process.exit(), LINGER_MS).unref();
