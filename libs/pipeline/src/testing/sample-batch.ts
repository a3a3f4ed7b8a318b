import type { EventRecord, EventType, RecordBatch } from '../api/index.js';
import { TEST_ORIGIN, TEST_RECEIVED_AT } from './parse-line.js';
import { sampleRecords } from './sample-record.js';

/** Makes a batch over records, their first half from one sender, the rest from another. */
export function sampleBatch(
  type: EventType,
  records: readonly EventRecord[] = sampleRecords(type),
): RecordBatch {
  const first = Math.ceil(records.length / 2);
  const second = records.length - first;
  const other = { ...TEST_ORIGIN, sender: 'cd'.repeat(32), senderHost: 'höst-2', sourceIp: '2001:db8::7' };
  const runs = [
    { origin: TEST_ORIGIN, receivedAt: TEST_RECEIVED_AT, count: first },
    { origin: other, receivedAt: TEST_RECEIVED_AT + 1, count: second },
  ];
  return { type, records, runs: runs.filter(({ count }) => count > 0) };
}
