import type { ConnectionSettings, LiveValue } from '@app/pipeline/api';

/** Which limit ran out. */
export type Expiry = 'first_message_timeout' | 'idle';

/**
 * The time limits of one connection: until its first message, then between any two bytes. One timer, which looks at
 * the last activity when it fires instead of being set anew for each chunk. Limits are read anew each time.
 */
export class ConnectionClock {
  readonly #startedAt: number;
  #lastActivity: number;
  #hasFirstMessage = false;
  #suspended = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param ageMs   how long ago the connection was accepted
   * @param expired called once at most for each `arm`
   */
  constructor(
    ageMs: number,
    private readonly settings: LiveValue<ConnectionSettings>,
    private readonly expired: (expiry: Expiry) => void,
  ) {
    // Monotonic: a correction of the system's clock must not close connections.
    this.#startedAt = performance.now() - Math.max(0, ageMs);
    this.#lastActivity = this.#startedAt;
  }

  /** Starts the timer, or sets it anew after a change of the settings. */
  arm(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#fire(), Math.max(1, this.#remaining()));
  }

  /** Bytes came. */
  touch(): void {
    this.#lastActivity = performance.now();
  }

  /** From here on the limit between bytes holds. */
  firstMessage(): void {
    this.#hasFirstMessage = true;
    this.touch();
    this.arm();
  }

  /** The gateway itself makes the peer wait, which is not the peer's silence. */
  suspend(): void {
    this.#suspended = true;
  }

  /** Ends `suspend`; the time starts anew. */
  resume(): void {
    this.#suspended = false;
    this.touch();
  }

  /** Ends the timer for good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #remaining(): number {
    const { idleTimeoutMs, firstMessageTimeoutMs } = this.settings.current;
    const due = this.#hasFirstMessage
      ? this.#lastActivity + idleTimeoutMs
      : this.#startedAt + firstMessageTimeoutMs;
    return due - performance.now();
  }

  #fire(): void {
    if (this.#suspended) this.touch();
    if (this.#remaining() > 0) this.arm();
    else this.expired(this.#hasFirstMessage ? 'idle' : 'first_message_timeout');
  }
}
