import { describe, expect, it } from '@jest/globals';
import { createRecordingLogger, createRecordingMetrics } from '@activity-gateway/pipeline/testing';
import { DeadLetterWatch } from './dead-letter-watch.js';

describe('DeadLetterWatch', () => {
  it('calls for a person while there are too many rows or bytes, once', async () => {
    const logger = createRecordingLogger();
    const metrics = createRecordingMetrics();
    let size = { rows: 10, bytes: 100 };
    let fails = false;
    const watch = new DeadLetterWatch(
      { deadLetters: { size: async () => (fails ? Promise.reject(new Error('down')) : size) } },
      { clickhouse: { deadLetterAlert: { rows: 10, bytes: 100 } } },
      metrics,
      logger,
    );
    await watch.look();
    expect(watch.alert).toBeUndefined();
    size = { rows: 11, bytes: 100 };
    await watch.look();
    await watch.look();
    expect(watch.alert).toContain('There are 11 dead letters');
    expect(metrics.value('gateway_dead_letter_rows', {})).toBe(11);
    fails = true;
    await watch.look();
    expect(watch.alert).toBeDefined();
    fails = false;
    size = { rows: 1, bytes: 101 };
    await watch.look();
    expect(watch.alert).toContain('101 bytes');
    size = { rows: 1, bytes: 1 };
    await watch.look();
    expect(watch.alert).toBeUndefined();
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
  });
});
