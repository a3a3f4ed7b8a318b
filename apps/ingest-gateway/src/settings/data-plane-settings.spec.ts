import { describe, expect, it } from '@jest/globals';
import { availableParallelism } from 'node:os';
import {
  drainTimeoutMs,
  flagSettings,
  numberSettings,
  reactorCount,
  toAcceptorSettings,
  toReactorSettings,
  type SettingsSnapshot,
} from './index.js';

const defaults = Object.fromEntries(
  Object.entries({ ...numberSettings, ...flagSettings }).map(([name, setting]) => [name, setting.default]),
) as SettingsSnapshot;

describe('settings of the data plane', () => {
  it('turns seconds into milliseconds', () => {
    expect(toAcceptorSettings(defaults)).toEqual({
      port: 1514,
      maxConnections: 100,
      banDurationMs: 10_000,
      unidentifiedMs: 25_000,
    });
    expect(toReactorSettings(defaults)).toEqual({
      connection: { maxMessageBytes: 16_777_216, idleTimeoutMs: 900_000, firstMessageTimeoutMs: 10_000 },
      flow: {
        batchSize: 100,
        batchIntervalMs: 10_000,
        maxConcurrentJobs: 3,
        bufferMaxEvents: 10_000,
        sinkBatchSize: 10_000,
        sinkWriters: 8,
      },
    });
    expect(drainTimeoutMs(defaults)).toBe(300_000);
  });

  it('resolves 0 threads to the cores', () => {
    expect(reactorCount(defaults)).toBe(availableParallelism());
    expect(reactorCount({ ...defaults, activitymonitor_reactor_threads: 4 })).toBe(4);
  });
});
