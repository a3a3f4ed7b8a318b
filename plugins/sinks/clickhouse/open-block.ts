import type { Block, EncodedEntry, RecordBatch } from '@activity-gateway/pipeline/api';
import type { BufferPool } from '@activity-gateway/pipeline/helpers';
import type { ByteWriter } from './native/byte-writer.js';
import type { EncoderPool } from './native/encoder-pool.js';

/** An entry that is being made: one Native block. */
export class OpenBlock implements Block {
  readonly #encoder;

  /**
   * @param pool    where its encoder comes from, and goes when it is finished
   * @param writer  for what is finished; empty, and empty again afterwards
   * @param buffers where the entry's memory comes from, and goes when it is released
   */
  constructor(
    private readonly destination: string,
    private readonly pool: EncoderPool,
    private readonly writer: ByteWriter,
    private readonly buffers: BufferPool,
  ) {
    this.#encoder = pool.take();
  }

  add(batch: RecordBatch): void {
    this.#encoder.add(batch);
  }

  undo(): void {
    this.#encoder.undo();
  }

  finish(id: string): EncodedEntry {
    const { destination, writer, buffers } = this;
    const { rows } = this.#encoder;
    try {
      this.#encoder.finish(id, writer);
      this.pool.give(this.#encoder);
      const buffer = buffers.take(writer.offset);
      return { destination, bytes: writer.takeInto(buffer), rows, id, release: () => buffers.give(buffer) };
    } finally {
      writer.clear();
    }
  }
}
