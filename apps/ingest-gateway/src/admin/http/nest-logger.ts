import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@activity-gateway/pipeline/api';

/** What these report is thrown as well, and whoever catches it tells the user. */
const THROWN_TOO = new Set(['NestApplication', 'ExceptionHandler']);

/** Nest's own lines in the gateway's log; what Nest tells of its start is for debugging only. */
export function createNestLogger(logger: Logger): LoggerService {
  const fields = (rest: unknown[]): object => {
    const context = rest.at(-1);
    return typeof context === 'string' ? { context } : {};
  };
  return {
    log: (message, ...rest) => logger.debug(fields(rest), String(message)),
    debug: (message, ...rest) => logger.debug(fields(rest), String(message)),
    verbose: (message, ...rest) => logger.debug(fields(rest), String(message)),
    warn: (message, ...rest) => logger.warn(fields(rest), String(message)),
    error: (message, ...rest) => {
      const level = THROWN_TOO.has(String(rest.at(-1))) ? 'debug' : 'error';
      logger[level](fields(rest), String(message));
    },
    fatal: (message, ...rest) => logger.error(fields(rest), String(message)),
  };
}
