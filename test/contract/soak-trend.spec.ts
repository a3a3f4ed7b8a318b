import { describe, expect, it } from '@jest/globals';
import { trend, type Series } from '../soak/trend.js';

const series = (values: readonly number[], by: Series['by'] = 'median'): Series => ({
  name: 'memory',
  values,
  slack: { share: 0.1, least: 5 },
  by,
  shown: String,
});
const of = (length: number, value: (i: number) => number): number[] =>
  Array.from({ length }, (_, i) => value(i));

describe('the verdict of a long run', () => {
  it('sees a leak, however slow', () => {
    expect(trend(series(of(120, (i) => 100 + i * 0.5))).ok).toBe(false);
  });

  it('takes no notice of the warm-up, of single peaks and of what comes and goes', () => {
    const warm = of(120, (i) => (i < 25 ? i * 4 : 100));
    const peaks = of(120, (i) => (i % 20 === 19 ? 500 : 100));
    const waves = of(120, (i) => 100 + 30 * Math.sin(i));
    expect([warm, peaks, waves].map((values) => trend(series(values)).ok)).toEqual([true, true, true]);
  });

  it('judges what is collected now and then by what it reaches', () => {
    const saw = (rise: number): number[] => of(120, (i) => 100 + 3 * (i % 40) + i * rise);
    expect(trend(series(saw(0), 'median')).ok).toBe(false);
    expect(trend(series(saw(0), 'peak')).ok).toBe(true);
    expect(trend(series(saw(0.5), 'peak')).ok).toBe(false);
  });

  it('allows a share or a least, whichever is more', () => {
    const step = (to: number): number[] => of(120, (i) => (i < 60 ? 10 : to));
    expect(trend(series(step(15))).ok).toBe(true);
    expect(trend(series(step(16))).ok).toBe(false);
  });

  it('does not pass a run that is too short to tell', () => {
    expect(trend(series([1, 1, 1])).ok).toBe(false);
  });
});
