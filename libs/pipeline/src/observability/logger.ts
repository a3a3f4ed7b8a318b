import { pino, stdTimeFunctions, type DestinationStream } from 'pino';
import pinoPretty from 'pino-pretty';
import type { Logger } from '../api/index.js';
import { loggableFields } from './log-fields.js';
import { RepeatLimiter } from './repeat-limiter.js';
import { StandardOutput } from './standard-output.js';

/** Levels from talkative to silent. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** How lines are written. `log` of the gateway's configuration fits, with a component added. */
export interface LoggerOptions {
  readonly level: LogLevel;
  /** `auto`: pretty on a terminal, JSON lines elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Part of the program, such as `listener`; children may set their own by the field `component`. */
  readonly component: string;
  /** Milliseconds since 1970-01-01 UTC, for the limit on repeats; `Date.now` by default. */
  readonly now?: () => number;
}

/** Where lines go, each before `write` returns; `isTTY` decides for the format `auto`. */
export type LogDestination = DestinationStream & { readonly isTTY?: boolean };

/** The logger of a process. */
export interface RootLogger extends Logger {
  /** Tells what the limit on repeats has held back. To be called before an exit. */
  flush(): void;
}

/** What all loggers of a process share. */
interface Writer {
  readonly line: pino.Logger;
  readonly limiter: RepeatLimiter;
  readonly withStacks: boolean;
}

/**
 * Makes the logger of a process over pino: lines with ISO time, level, component and message, written at once. Secrets
 * are redacted by field name; `{ err }` becomes message and code, with a stack trace only when the level is `debug`.
 * Of the same component, level and message, five lines in ten seconds are written and the rest counted in
 * `suppressed`; debug lines are not limited.
 * @param destination standard output by default
 */
export function createLogger(options: LoggerOptions, destination?: LogDestination): RootLogger {
  const target: LogDestination = destination ?? new StandardOutput();
  const terminal = target.isTTY;
  const pretty = options.format === 'pretty' || (options.format === 'auto' && terminal === true);
  const withStacks = options.level === 'debug';
  const writer: Writer = {
    line: pino(
      {
        level: options.level,
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        // The standard one would add a type and a stack to what is already fit for writing.
        serializers: { err: (err: unknown) => err },
      },
      pretty ? prettyStream(target, terminal === true, withStacks) : target,
    ),
    limiter: new RepeatLimiter(options.now),
    withStacks,
  };
  const logger = new PinoLogger(writer, { component: options.component });
  return Object.assign(logger, {
    flush: () => writer.limiter.flush(),
  });
}

/** Formats in this thread: a worker would lose the last lines of a process that dies. */
function prettyStream(target: LogDestination, colorize: boolean, withStacks: boolean): DestinationStream {
  const format = pinoPretty.prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'component',
    messageFormat: '{component}: {msg}',
    singleLine: true,
    // A stack is worth lines of its own, a message and a code are not.
    errorLikeObjectKeys: withStacks ? ['err'] : [],
  });
  return { write: (line) => void target.write(format(line)) };
}

class PinoLogger implements Logger {
  constructor(
    private readonly writer: Writer,
    private readonly bound: Readonly<Record<string, unknown>>,
  ) {}

  debug(fields: object, message: string): void {
    if (this.writer.line.isLevelEnabled('debug')) this.#write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#limited('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#limited('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#limited('error', fields, message);
  }

  child(fields: object): Logger {
    return new PinoLogger(this.writer, { ...this.bound, ...this.#loggable(fields) });
  }

  #limited(level: Exclude<LogLevel, 'debug'>, fields: object, message: string): void {
    if (!this.writer.line.isLevelEnabled(level)) return;
    const kind = `${String(this.bound.component)}\n${level}\n${message}`;
    const { admitted, suppressed } = this.writer.limiter.admit(kind, (count) =>
      this.writer.line[level]({ component: this.bound.component, suppressed: count }, message),
    );
    if (admitted) this.#write(level, suppressed > 0 ? { ...fields, suppressed } : fields, message);
  }

  #write(level: LogLevel, fields: object, message: string): void {
    this.writer.line[level]({ ...this.bound, ...this.#loggable(fields) }, message);
  }

  #loggable(fields: object): Record<string, unknown> {
    return loggableFields(fields, this.writer.withStacks);
  }
}
