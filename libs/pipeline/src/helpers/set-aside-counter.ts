import type { Metrics } from '../api/index.js';

/** Counts values that parsers set aside because their types are wrong; given to `SetAsideOptions.count`. */
export function setAsideCounter(metrics: Metrics, parser: string): (values: number) => void {
  const counter = metrics.counter(
    'gateway_parser_values_set_aside_total',
    'Values of a wrong type that were kept in extra and not in their column, by parser.',
    ['parser'],
  );
  return (values) => counter.add(values, { parser });
}
