import { GatewayError } from '@activity-gateway/pipeline/api';
import { printError } from '../print-error.js';
import type { FoundSpool } from './find-spools.js';

/** Tells that a spool cannot be read, without a stack trace; the others go on. */
export function tellUnreadable({ name, directory }: FoundSpool, error: unknown): void {
  if (error instanceof GatewayError) return void printError(error, name);
  const message = `The spool in ${directory} cannot be read: ${(error as Error).message}.`;
  void printError(
    new GatewayError('SPOOL_UNREADABLE', message, 'Make sure that this user may read it.'),
    name,
  );
}
