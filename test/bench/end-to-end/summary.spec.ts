import { describe, expect, it } from '@jest/globals';
import type { Figures } from './figures.js';
import { figuresOf } from './figures.js';
import { markdown, textTable } from './render.js';
import type { BareRun, LoadRun, Results, Run } from './results.js';
import { scenarios } from './scenarios.js';
import { bareNear, ratioToPeers, rowsOf } from './summary.js';

const figures = (eventsPerCpuSecond: number): Figures => ({
  ...figuresOf({
    events: 1_000_000,
    bytes: 370_000_000,
    takenSeconds: 4,
    storedSeconds: 5,
    cpuSeconds: { reactors: 1, control: 0.25, clickhouse: 3 },
    peakRssBytes: { reactors: 2 ** 27, control: 2 ** 26 },
    generatorLoad: 0.1,
    otherLoad: 0,
  }),
  eventsPerCpuSecond,
});
const bare = (rate: number, corpus: BareRun['corpus'] = 'compact'): BareRun => ({
  kind: 'bare',
  corpus,
  figures: figures(rate),
});
const run = (name: string, rate: number): LoadRun => {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario?.kind !== 'load' && scenario?.kind !== 'peer') throw new Error(name);
  return { kind: scenario.kind, scenario, figures: figures(rate) };
};
const results = (runs: Run[]): Results => ({
  when: '2026-11-20T00:00:00.000Z',
  machine: { cpu: 'x', cores: 2, memoryGiB: 8, kernel: '6', node: 'v20', openssl: '3' },
  seconds: 6,
  rounds: 1,
  set: {},
  runs,
});

describe('figures', () => {
  it("count the gateway's own CPU, reactors and control plane, without ClickHouse", () => {
    const made = figuresOf({
      events: 1_000_000,
      bytes: 370_000_000,
      takenSeconds: 4,
      storedSeconds: 5,
      cpuSeconds: { reactors: 1.5, control: 0.5, clickhouse: 3 },
      peakRssBytes: {},
      generatorLoad: 0,
      otherLoad: 0,
    });
    expect(made.eventsPerCpuSecond).toBe(500_000);
    expect(made.cpuPerMillion).toEqual({ reactors: 1.5, control: 0.5, clickhouse: 3 });
    expect([made.takenPerSecond, made.storedPerSecond, made.meanBytes]).toEqual([250_000, 200_000, 370]);
  });
});

describe('summary', () => {
  it('compares a run with the middle one of the nearest three bare loops on its input', () => {
    const runs = [
      bare(1),
      bare(400_000),
      bare(9e9, 'file'),
      run('null', 300_000),
      bare(500_000),
      bare(600_000),
      bare(2),
    ];
    expect(bareNear(runs, 3, 'compact')).toBe(500_000);
  });

  it('has no ratio where no bare loop ran on the input', () => {
    expect(rowsOf(results([bare(1), run('leef', 2)]))[0]).not.toHaveProperty('ratioToBare');
  });

  it('takes the middle run and the middle ratio of several rounds', () => {
    const round = (rate: number): Run[] => [bare(400_000), run('clickhouse', rate), bare(400_000)];
    const [row] = rowsOf(results([...round(100_000), ...round(300_000), ...round(200_000)]));
    expect(row?.run.figures.eventsPerCpuSecond).toBe(200_000);
    expect(row?.ratioToBare).toBe(0.5);
  });

  it('compares with the better of the peers on the same input', () => {
    const rows = rowsOf(
      results([
        run('clickhouse', 300_000),
        run('syslog-ng', 100_000),
        run('rsyslog', 150_000),
        run('rsyslog-uniform', 400_000),
      ]),
    );
    expect(ratioToPeers(rows, 'clickhouse')).toBe(2);
    expect(ratioToPeers(rows.slice(0, 1), 'clickhouse')).toBeUndefined();
  });
});

describe('tables', () => {
  it('show every scenario, and say what failed or was skipped', () => {
    const [scenario] = scenarios;
    const all = results([
      bare(400_000),
      run('null', 300_000),
      { kind: 'failed', scenario: scenario!, reason: 'Of 2 events 1 are stored.' },
      { kind: 'start', scenario: scenario!, firstMs: [1_900, 1_500, 1_700], againMs: [900] },
    ]);
    for (const text of [textTable(all), markdown(all)]) {
      expect(text).toContain('300,000');
      expect(text).toContain('0.75');
      expect(text).toContain('FAILED. Of 2 events 1 are stored.');
      expect(text).toContain('1700 ms');
    }
  });
});
