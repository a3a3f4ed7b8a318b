import { describe, expect, it } from '@jest/globals';
import { windowWarning } from './table-columns.js';

const PLAIN = 'MergeTree ORDER BY x SETTINGS index_granularity = 8192';
const REPLICATED = "ReplicatedMergeTree('/t', 'r') ORDER BY x SETTINGS index_granularity = 8192";

describe('windowWarning', () => {
  it.each([
    [`${PLAIN}, non_replicated_deduplication_window = 1`, 0],
    [PLAIN, 100],
    [REPLICATED, 0],
    [`${REPLICATED}, replicated_deduplication_window = 10`, 0],
    ['View', 0],
  ])('is none for %s with a default of %i', (engine, serverWindow) => {
    expect(windowWarning('a.t', engine, serverWindow)).toBeUndefined();
  });

  it.each([
    [PLAIN, 0, 'MODIFY SETTING non_replicated_deduplication_window = 10000'],
    [`${PLAIN}, non_replicated_deduplication_window = 0`, 100, 'non_replicated_deduplication_window = 10000'],
    [
      `${REPLICATED}, replicated_deduplication_window = 0`,
      100,
      'MODIFY SETTING replicated_deduplication_window',
    ],
  ])('says what to run for %s with a default of %i', (engine, serverWindow, wanted) => {
    expect(windowWarning('a.t', engine, serverWindow)).toContain(wanted);
  });
});
