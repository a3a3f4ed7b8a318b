import { beforeEach, describe, expect, it } from '@jest/globals';
import type { PipelineStatus } from '@activity-gateway/pipeline/host';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import type { ClickHouseStatus } from '../clickhouse/types.js';
import type { ListenerStatus } from '../listener/types.js';
import { FlowLog } from './flow-log.js';

const MINUTE = 60_000;

describe('FlowLog', () => {
  let logger: RecordingLogger;
  let now: number;
  let seen: number;
  let clickhouse: Pick<ClickHouseStatus, 'state' | 'reason' | 'retention'>;
  let counts: Record<
    'received' | 'delivered' | 'deadLettered' | 'recovered' | 'filtered' | 'dropped',
    number
  >;
  let queue: { rows: number; bytes: number; oldestMs: number; spool: { bytes: number; maxBytes: number } };
  let sink: { state: string; reason?: string };
  let log: FlowLog;

  /** Two reactors, the second one idle. */
  const listener = (): ListenerStatus => {
    const idle = { received: 0, delivered: 0, deadLettered: 0, recovered: 0, filtered: 0, dropped: 0 };
    const empty = { rows: 0, bytes: 0, oldestMs: 0, spool: { bytes: 0, maxBytes: 500 } };
    const pipeline = (own: object): PipelineStatus =>
      ({
        name: 'activity',
        instances: [{ id: 'activity/clickhouse', plugin: 'sinks.clickhouse', since: 0, ...sink }],
        ...own,
      }) as unknown as PipelineStatus;
    const reactors = [pipeline({ counts, queue }), pipeline({ counts: idle, queue: empty })];
    return {
      reactors: reactors.map((each) => ({ status: { pipelines: [each] } })),
    } as unknown as ListenerStatus;
  };
  const lookAfter = (ms: number): void => {
    now += ms;
    log.look();
  };
  /** What was logged since the last call. */
  const logged = (): object[] =>
    logger.lines
      .slice(seen, (seen = logger.lines.length))
      .map(({ level, message, fields }) => ({ level, message, ...fields }));

  beforeEach(() => {
    logger = createRecordingLogger();
    now = 0;
    seen = 0;
    clickhouse = { state: 'ok' };
    counts = { received: 0, delivered: 0, deadLettered: 0, recovered: 0, filtered: 0, dropped: 0 };
    queue = { rows: 0, bytes: 0, oldestMs: 0, spool: { bytes: 0, maxBytes: 500 } };
    sink = { state: 'ok' };
    log = new FlowLog({
      listener,
      clickhouse: () => ({ mode: 'external', url: '', ...clickhouse }),
      batchIntervalMs: () => 10_000,
      logger,
      now: () => now,
    });
  });

  it('says once a minute what flowed, and nothing while nothing flows', () => {
    counts = { ...counts, received: 100, delivered: 70, deadLettered: 10 };
    queue = { ...queue, rows: 20, bytes: 2_000, oldestMs: 4_400 };
    lookAfter(5_000);
    expect(logged()).toEqual([]);
    lookAfter(MINUTE - 5_000);
    const fields = {
      level: 'info',
      message: 'Events since the last figures',
      pipeline: 'activity',
      seconds: 60,
    };
    expect(logged()).toEqual([
      {
        ...fields,
        received: 100,
        stored: 70,
        rejected: 10,
        filtered: 0,
        dropped: 0,
        queueDepth: 20,
        queueBytes: 2_000,
        oldestSeconds: 4,
      },
    ]);
    counts = { ...counts, received: 101, delivered: 91 };
    lookAfter(MINUTE);
    expect(logged()).toMatchObject([{ received: 1, stored: 21, rejected: 0 }]);
    lookAfter(MINUTE);
    expect(logged()).toEqual([]);
  });

  it('tells of an outage at once, every 5 minutes with what piles up and until when there is room, and of its end', () => {
    lookAfter(5_000);
    clickhouse = { state: 'degraded', reason: 'connect ECONNREFUSED' };
    lookAfter(5_000);
    expect(logged()).toEqual([
      {
        level: 'warn',
        message: 'Delivery interrupted; events wait',
        pipeline: 'activity',
        events: 0,
        bytes: 0,
        oldestSeconds: 0,
        reason: 'connect ECONNREFUSED',
      },
    ]);
    queue = { rows: 1_000, bytes: 80, oldestMs: 295_000, spool: { bytes: 100, maxBytes: 500 } };
    lookAfter(5 * MINUTE - 1);
    expect(logged()).toEqual([]);
    lookAfter(1);
    // 100 bytes in 5 minutes, and 900 of 1,000 are free.
    expect(logged()).toEqual([
      {
        level: 'warn',
        message: 'Delivery still interrupted',
        pipeline: 'activity',
        events: 1_000,
        bytes: 80,
        oldestSeconds: 295,
        eventsPerMinute: 200,
        bytesPerMinute: 20,
        spoolFullInSeconds: 45 * 60,
        outageSeconds: 300,
        reason: 'connect ECONNREFUSED',
      },
    ]);
    lookAfter(5 * MINUTE);
    // Nothing comes any more: it does not become full.
    expect(logged()).toEqual([expect.not.objectContaining({ spoolFullInSeconds: expect.anything() })]);
    clickhouse = { state: 'ok' };
    counts = { ...counts, recovered: 10 };
    lookAfter(5_000);
    expect(logged().at(-1)).toMatchObject({
      level: 'info',
      message: 'Delivery resumed',
      events: 1_000,
      outageSeconds: 605,
    });
  });

  it('takes a sink that has failed, or writes nothing for long, for an outage', () => {
    sink = { state: 'degraded', reason: 'TIMEOUT: no answer' };
    queue = { ...queue, rows: 5, oldestMs: 19_000 };
    lookAfter(5_000);
    expect(logged()).toEqual([]);
    queue = { ...queue, oldestMs: 24_000 };
    lookAfter(5_000);
    expect(logged()).toMatchObject([
      { message: 'Delivery interrupted; events wait', reason: 'TIMEOUT: no answer' },
    ]);
    sink = { state: 'ok' };
    queue = { ...queue, rows: 0, oldestMs: 0 };
    lookAfter(5_000);
    expect(logged()).toMatchObject([{ message: 'Delivery resumed', outageSeconds: 5 }]);
    sink = { state: 'failed', reason: '516: Authentication failed' };
    queue = { ...queue, rows: 1, oldestMs: 1 };
    lookAfter(5_000);
    expect(logged()).toMatchObject([{ reason: '516: Authentication failed' }]);
  });

  it('takes what is degraded and writes for none', () => {
    clickhouse = { state: 'degraded', reason: 'retention', retention: [] };
    sink = { state: 'degraded', reason: 'a view fails' };
    queue = { ...queue, rows: 5, oldestMs: 30_000 };
    for (let delivered = 1; delivered < 10; delivered += 1) {
      counts = { ...counts, delivered };
      lookAfter(1_000);
    }
    expect(logged()).toEqual([]);
  });
});
