const DAY_MS = 86_400_000;

/** Days before its end from which on the server certificate is worth a warning, and from which on another one. */
const STAGES = [30, 7, 0] as const;

/** What is to be said about a certificate that ends soon. */
export interface ExpiryWarning {
  /** Whole days that are left; negative after its end. */
  readonly days: number;
  readonly message: string;
}

/** Says when the end of a certificate is worth a log line: on each threshold that it passes, and daily from the first on. */
export class ExpiryWarnings {
  #notAfter = 0;
  #passed = 0;
  #saidAt = 0;

  /**
   * @param notAfter milliseconds since 1970-01-01 UTC; another one than before begins anew
   * @param now      milliseconds since 1970-01-01 UTC
   */
  due(notAfter: number, now: number): ExpiryWarning | undefined {
    const days = Math.floor((notAfter - now) / DAY_MS);
    const passed = STAGES.filter((stage) => days < stage).length;
    const before = notAfter === this.#notAfter ? this.#passed : 0;
    const isNews = passed > before || (passed > 0 && now - this.#saidAt >= DAY_MS);
    this.#notAfter = notAfter;
    this.#passed = passed;
    if (!isNews) return undefined;
    this.#saidAt = now;
    return { days, message: days < 0 ? 'Server certificate has expired' : 'Server certificate expires soon' };
  }
}
