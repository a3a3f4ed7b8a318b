const DAY_MS = 86_400_000;
/** Days before its end from which on the server certificate is worth a warning. */
const WARN_DAYS = 30;

/**
 * Whole days that a certificate is still valid, when that is worth a warning.
 * @param notAfter milliseconds since 1970-01-01 UTC
 * @param now      milliseconds since 1970-01-01 UTC
 */
export function expiryWarning(notAfter: number, now: number): number | undefined {
  const days = Math.floor((notAfter - now) / DAY_MS);
  return days < WARN_DAYS ? days : undefined;
}
