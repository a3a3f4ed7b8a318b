import { median, type Check } from './figures.js';

/** One figure over a run, that must not grow. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
  /** What the late values may be above the early ones: a share of these, or so much, whichever is more. */
  readonly slack: { readonly share: number; readonly least: number };
  /**
   * What stands for a quarter. Memory goes up until it is collected, seldom and at moments of its own: what it reaches at
   * most tells of growth, and where it happens to be does not.
   */
  readonly by: 'median' | 'peak';
  /** The figure as people read it. */
  readonly shown: (value: number) => string;
}

/** Compares the second and the last quarter of a run; the first one is the warm-up. */
export function trend({ name, values, slack, by, shown }: Series): Check {
  const level = by === 'peak' ? (all: readonly number[]): number => Math.max(...all) : median;
  const quarter = Math.floor(values.length / 4);
  const early = level(values.slice(quarter, quarter * 2));
  const late = level(values.slice(-quarter));
  const allowed = early + Math.max(early * slack.share, slack.least);
  return {
    name: `${name} does not grow`,
    ok: quarter > 0 && late <= allowed,
    found: `${shown(early)} in the second quarter, ${shown(late)} in the last (up to ${shown(allowed)} allowed)`,
  };
}
