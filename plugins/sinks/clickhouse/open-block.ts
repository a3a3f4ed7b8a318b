import type { EncodedEntry, OpenEntry, RecordBatch } from '@app/pipeline/api';
import type { ByteWriter } from './native/byte-writer.js';
import type { EncoderPool } from './native/encoder-pool.js';

/** An entry that is being made: one Native block. */
export class OpenBlock implements OpenEntry {
  readonly #encoder;

  /**
   * @param pool   where its encoder comes from, and goes when it is finished
   * @param writer for what is finished; empty, and empty again afterwards
   */
  constructor(
    private readonly destination: string,
    private readonly entryId: string,
    private readonly pool: EncoderPool,
    private readonly writer: ByteWriter,
  ) {
    this.#encoder = pool.take();
  }

  add(batch: RecordBatch): void {
    this.#encoder.add(batch);
  }

  takeBack(): void {
    this.#encoder.takeBack();
  }

  finish(): EncodedEntry {
    const { destination, entryId: id, writer } = this;
    const { rows } = this.#encoder;
    try {
      this.#encoder.finish(id, writer);
      this.pool.give(this.#encoder);
      return { destination, bytes: writer.take(), rows, id };
    } finally {
      writer.clear();
    }
  }
}
