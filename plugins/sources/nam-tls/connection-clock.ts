import type { ConnectionSettings, LiveValue } from '@activity-gateway/pipeline/api';

/** Which limit ran out. */
export type Expiry = 'handshake_timeout' | 'first_message_timeout' | 'message_timeout' | 'idle' | 'stopping';

/** Limits that are no settings, ms. */
const LIMITS = {
  /** TLS handshake; never longer than the time until the first message. */
  handshake: 10_000,
  /** From the first byte of a message to its end: a peer that drips bytes holds memory, and must not hold it for long. */
  message: 30_000,
  /** Silence after which a connection that this side has ended is closed. */
  stopSilence: 1_000,
  /** All the time that a peer has to notice that end. */
  stop: 5_000,
} as const;

/**
 * The time limits of one connection: for its handshake, until its first message, for each message, between any two bytes,
 * and once it is being ended. One timer, which looks at what has happened when it fires instead of being set anew for each
 * chunk. Settings are read anew each time. Time in which the gateway makes the peer wait does not count.
 */
export class ConnectionClock {
  readonly #startedAt: number;
  #phase: 'handshake' | 'first-message' | 'stream' | 'stopping' = 'handshake';
  #lastActivity: number;
  /** When the message that has not ended yet began. */
  #messageSince: number | undefined;
  #stopDue = 0;
  #suspendedAt: number | undefined;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = 0;

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
    const now = performance.now();
    this.#firesAt = Math.max(now + 1, this.#next().due);
    this.#timer = setTimeout(() => this.#fire(), this.#firesAt - now);
  }

  /** The handshake is done. */
  secured(): void {
    this.#phase = 'first-message';
    this.arm();
  }

  /** Bytes came. */
  touch(): void {
    this.#lastActivity = performance.now();
  }

  /**
   * The bytes that came are cut into messages.
   * @param ended whether a message ended in them
   * @param begun whether one has begun and not ended
   */
  framed(ended: boolean, begun: boolean): void {
    if (!begun) this.#messageSince = undefined;
    else if (ended || this.#messageSince === undefined) {
      this.#messageSince = this.#lastActivity;
      // Seldom: afterwards the timer fires within this limit anyway.
      if (this.#firesAt > this.#messageSince + LIMITS.message) this.arm();
    }
  }

  /** From here on the limit between bytes holds. */
  firstMessage(): void {
    this.#phase = 'stream';
    this.touch();
    this.arm();
  }

  /** This side has ended the connection, and reads what the peer has sent until it noticed. */
  stopping(): void {
    this.#phase = 'stopping';
    this.touch();
    this.#stopDue = this.#lastActivity + LIMITS.stop;
    this.arm();
  }

  /** How long nothing has come, ms; 0 while the gateway makes the peer wait. */
  get silentMs(): number {
    return this.#suspendedAt === undefined ? performance.now() - this.#lastActivity : 0;
  }

  /** The gateway itself makes the peer wait, which is not the peer's silence. */
  suspend(): void {
    this.#suspendedAt = performance.now();
  }

  /** Ends `suspend`; the time between bytes starts anew, the others go on. */
  resume(): void {
    this.touch();
    const waited = this.#lastActivity - (this.#suspendedAt ?? this.#lastActivity);
    this.#suspendedAt = undefined;
    this.#stopDue += waited;
    if (this.#messageSince !== undefined) this.#messageSince += waited;
  }

  /** Ends the timer for good. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #next(): { readonly expiry: Expiry; readonly due: number } {
    const phase = this.#phaseLimit();
    const message = (this.#messageSince ?? Number.POSITIVE_INFINITY) + LIMITS.message;
    return message < phase.due ? { expiry: 'message_timeout', due: message } : phase;
  }

  #phaseLimit(): { readonly expiry: Expiry; readonly due: number } {
    const { idleTimeoutMs, firstMessageTimeoutMs } = this.settings.current;
    switch (this.#phase) {
      case 'handshake':
        return {
          expiry: 'handshake_timeout',
          due: this.#startedAt + Math.min(LIMITS.handshake, firstMessageTimeoutMs),
        };
      case 'first-message':
        return { expiry: 'first_message_timeout', due: this.#startedAt + firstMessageTimeoutMs };
      case 'stream':
        return { expiry: 'idle', due: this.#lastActivity + idleTimeoutMs };
      case 'stopping': {
        const due = Math.min(this.#lastActivity + LIMITS.stopSilence, this.#stopDue);
        return { expiry: 'stopping', due };
      }
    }
  }

  #fire(): void {
    if (this.#suspendedAt !== undefined) {
      this.resume();
      this.suspend();
    }
    const { expiry, due } = this.#next();
    if (due > performance.now()) this.arm();
    else this.expired(expiry);
  }
}
