import type { RejectStage } from './batch.js';

/**
 * Tells errors apart by a brand on their prototype: a plugin may bring its own copy of this module, whose classes are
 * other ones. `instanceof` with a class that has a brand is true for errors of every copy.
 * @returns what the class sets as its `Symbol.hasInstance`
 */
function brand<T extends Error>(
  type: abstract new (...args: never[]) => T,
  name: string,
): (this: unknown, value: unknown) => value is T {
  const key = Symbol.for(`activity-gateway.${name}`);
  Object.defineProperty(type.prototype, key, { value: true });
  return function (this: unknown, value: unknown): value is T {
    // A plugin's class that extends this one inherits the method, and is no brand.
    if (this !== type) return Function.prototype[Symbol.hasInstance].call(this as () => void, value);
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[key] === true;
  };
}

/**
 * An error that a user may see: a code from `docs/reference/errors.md`, what was wrong and what to do.
 * Never shown with a stack trace.
 */
export class GatewayError extends Error {
  static {
    Object.defineProperty(this, Symbol.hasInstance, { value: brand(this, 'GatewayError') });
  }

  override readonly name: string = 'GatewayError';

  constructor(
    readonly code: string,
    message: string,
    /** What to do about it, one sentence. */
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Thrown by a parser's `decode` for an event it cannot take; `parserTransform` turns it into a dead letter.
 * Carries no stack trace: peers decide how often it is made.
 */
export class RejectError extends Error {
  static {
    Object.defineProperty(this, Symbol.hasInstance, { value: brand(this, 'RejectError') });
  }

  override readonly name = 'RejectError';

  /**
   * @param code  bounded set, lower_snake_case
   * @param field JSON pointer (RFC 6901) of the field, or the empty string
   */
  constructor(
    readonly code: string,
    readonly field: string,
    message: string,
    readonly stage: RejectStage = 'validate',
  ) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
  }
}

/** Base of what `Sink.write` fails with: the class says what the host does next. */
export abstract class SinkError extends Error {
  static {
    Object.defineProperty(this, Symbol.hasInstance, { value: brand(this, 'SinkError') });
  }

  /** @param code the destination's own code where it has one (for ClickHouse `60 UNKNOWN_TABLE`), for logs and metrics */
  constructor(
    message: string,
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The outcome is unknown or the destination is busy: the host sends the same bytes again under the same token. */
export class RetryableError extends SinkError {
  static {
    Object.defineProperty(this, Symbol.hasInstance, { value: brand(this, 'RetryableError') });
  }

  override readonly name = 'RetryableError';

  constructor(
    message: string,
    code: string,
    /** Wait at least this long, in ms, before the next attempt. */
    readonly retryAfterMs = 0,
    options?: ErrorOptions,
  ) {
    super(message, code, options);
  }
}

/**
 * The same batch will fail again until a person changes something (missing table, wrong password, schema drift).
 * The host pauses the sink, reports it as failed, keeps the entries and tries again at its longest interval.
 */
export class PermanentError extends SinkError {
  static {
    Object.defineProperty(this, Symbol.hasInstance, { value: brand(this, 'PermanentError') });
  }

  override readonly name = 'PermanentError';
}

/** Some rows were refused for good; nothing of the batch was stored. Rows are counted over all entries of the write. */
export class PartialWriteError extends SinkError {
  static {
    Object.defineProperty(this, Symbol.hasInstance, { value: brand(this, 'PartialWriteError') });
  }

  override readonly name = 'PartialWriteError';

  constructor(
    message: string,
    code: string,
    /** Rows from 0; empty when the destination does not say which. */
    readonly rejected: readonly number[],
    options?: ErrorOptions,
  ) {
    super(message, code, options);
  }
}
