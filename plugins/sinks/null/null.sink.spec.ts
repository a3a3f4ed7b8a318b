import { describe, expect, it } from '@jest/globals';
import { deadLetters } from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch, validateOptions } from '@activity-gateway/pipeline/testing';
import { nullSink } from './index.js';

describe('sinks.null', () => {
  it('counts rows, keeps no bytes, and takes any write', async () => {
    const sink = nullSink.create(validateOptions(nullSink, {}) as never, createTestContext());
    const batch = sampleBatch(deadLetters);
    const entry = encodeBatch(sink, batch, 'gw/1/1');
    expect(entry).toEqual({
      destination: 'dead_letters',
      bytes: Buffer.alloc(0),
      rows: batch.records.length,
    });
    await expect(sink.write([entry], 'token', AbortSignal.abort())).resolves.toBeUndefined();
  });
});
