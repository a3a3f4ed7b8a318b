import { distance } from 'fastest-levenshtein';

/** How much may differ: a third of the name; two letters that changed places count as two. */
const tolerance = (name: string): number => (name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3)));

/** The known name that a misspelt one most likely means. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = tolerance(name) + 1;
  for (const candidate of known) {
    const difference = distance(name.toLowerCase(), candidate.toLowerCase());
    if (difference < bestDistance) [best, bestDistance] = [candidate, difference];
  }
  return best ?? lastPart(name, known);
}

/** `smb` for `parsers.smb`, `activitymonitor_batch_size` for `batch_size`: the rest was left out. */
function lastPart(name: string, known: readonly string[]): string | undefined {
  if (name.length < 3) return undefined;
  const candidates = known.filter(
    (candidate) => /[._]$/.test(candidate.slice(0, -name.length)) && candidate.endsWith(name),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** A hint with the nearest known name, else with all of them. */
export function nameHint(name: string, known: readonly string[], what: string): string | undefined {
  const close = nearest(name, known);
  if (close !== undefined) return `Did you mean "${close}"?`;
  return known.length === 0 ? undefined : `${what}: ${known.join(', ')}.`;
}
