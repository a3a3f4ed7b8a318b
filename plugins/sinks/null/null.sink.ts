import type { EncodedEntry, RecordBatch, Sink } from '@activity-gateway/pipeline/api';

const NO_BYTES = Buffer.alloc(0);

/** Takes records and keeps nothing of them; entries count rows and have no bytes. */
export class NullSink implements Sink {
  encode(batch: RecordBatch): EncodedEntry {
    return { destination: batch.type.name, bytes: NO_BYTES, rows: batch.records.length };
  }

  async write(): Promise<void> {}
}
