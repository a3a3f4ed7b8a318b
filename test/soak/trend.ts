import { median, type Check } from './figures.js';

/** One figure over a run, that must not grow. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
  /** What the late values may be above the early ones: a share of these, or so much, whichever is more. */
  readonly slack: { readonly share: number; readonly least: number };
  /** The figure as people read it. */
  readonly shown: (value: number) => string;
}

/**
 * Judges by the medians of the second and the last quarter: the first one is the warm-up, and single peaks say nothing of
 * growth.
 */
export function trend({ name, values, slack, shown }: Series): Check {
  const quarter = Math.floor(values.length / 4);
  const early = median(values.slice(quarter, quarter * 2));
  const late = median(values.slice(-quarter));
  const allowed = early + Math.max(early * slack.share, slack.least);
  return {
    name: `${name} does not grow`,
    ok: quarter > 0 && late <= allowed,
    found: `${shown(early)} in the second quarter, ${shown(late)} in the last (up to ${shown(allowed)} allowed)`,
  };
}
