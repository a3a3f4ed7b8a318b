import type { Logger } from '../api/index.js';

/** One line that was logged. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Fields of the line and of the loggers it came through. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A logger that keeps what it is told, for tests to look at. */
export interface RecordingLogger extends Logger {
  /** All lines in order, those of child loggers included. */
  readonly lines: readonly LogLine[];
}

/** Makes a logger that writes nowhere. */
export function createRecordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  return Object.assign(loggerInto(lines, {}), { lines });
}

function loggerInto(lines: LogLine[], own: object): Logger {
  const at = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...own, ...fields }, message });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerInto(lines, { ...own, ...fields }),
  };
}
