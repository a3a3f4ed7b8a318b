import { describe, expect, it } from '@jest/globals';
import { readOptions } from './options.js';
import { scenarios } from './scenarios.js';

describe('command line of the benchmark', () => {
  it('runs all scenarios by default', () => {
    expect(readOptions([])).toMatchObject({ scenarios, rounds: 1, latency: true, set: {} });
  });

  it('takes scenarios by name, in the order given, and settings', () => {
    const options = readOptions(['--scenario', 'clickhouse,null', '--set', 'A=b=c', '--no-latency']);
    expect(options.scenarios.map(({ name }) => name)).toEqual(['clickhouse', 'null']);
    expect(options).toMatchObject({ set: { A: 'b=c' }, latency: false });
  });

  it.each([
    [['--scenario', 'nul'], 'There is no scenario "nul". There are: null, '],
    [['--seconds', 'ten'], '--seconds has to be a number above 0, not "ten"'],
    [['--rounds', '0'], '--rounds has to be'],
    [['--set', 'A'], '--set takes NAME=value'],
    [['--sceanrio', 'null'], 'sceanrio'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });

  it('names no scenario twice', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});
