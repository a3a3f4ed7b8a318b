/** Milliseconds since 1970-01-01 UTC as the API writes times: ISO 8601, UTC. */
export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** The same for a time that may not be there. */
export function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time);
}
