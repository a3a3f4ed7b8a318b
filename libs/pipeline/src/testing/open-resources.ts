import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Kinds of resource that keep a process alive or hold something of the system; waiting for the file system is neither. */
const COUNTED =
  /^(TCP|TLS|UDP|Pipe|Process|FSEvent|Stat|HTTP|Timeout|Interval|Immediate|Worker|MessagePort|FileHandle|Signal)/;
const OPEN_FILES = '/proc/self/fd';
const POLL_MS = 10;

/** How many of each kind of resource the process has open now; files are counted where the system tells (Linux). */
export function openResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (COUNTED.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  if (existsSync(OPEN_FILES)) counts.set('file descriptor', readdirSync(OPEN_FILES).length);
  return counts;
}

/** Kinds of resource of which more are open than before, each with the numbers. */
export function newResources(before: ReadonlyMap<string, number>): string[] {
  return [...openResources()]
    .filter(([kind, count]) => count > (before.get(kind) ?? 0))
    .map(([kind, count]) => `${kind}: ${before.get(kind) ?? 0} before, ${count} now`);
}

/**
 * Waits until nothing more is open than before; what still is at the deadline.
 * @param withinMs longest wait, ms
 */
export async function leftoverResources(
  before: ReadonlyMap<string, number>,
  withinMs = 3000,
): Promise<string[]> {
  const deadline = Date.now() + withinMs;
  let left = newResources(before);
  while (left.length > 0 && Date.now() < deadline) {
    await delay(POLL_MS);
    left = newResources(before);
  }
  return left;
}
