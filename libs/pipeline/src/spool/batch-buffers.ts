/** Buffers are made in sizes of a power of two from this on, bytes, so that one fits the next batch too. */
const MIN_BYTES = 256 * 1024;
/** Bytes of buffers that are kept for further batches; more than a few batches are seldom out at a time. */
const MAX_SPARE_BYTES = 16 * 1024 * 1024;

/**
 * Buffers for the batches that are read from a spool. A buffer of its own for each entry outlives the garbage collector's
 * young generation while the batch is written, and only a full collection frees it: one for every 75,000 events, a tenth
 * of the processor time.
 */
export class BatchBuffers {
  #spare: Buffer[] = [];
  #spareBytes = 0;

  /** A buffer of at least so many bytes; what it holds is of no meaning. */
  take(bytes: number): Buffer {
    const at = this.#spare.findIndex(({ length }) => length >= bytes);
    const [spare] = at === -1 ? [] : this.#spare.splice(at, 1);
    if (spare === undefined) return Buffer.allocUnsafeSlow(sizeFor(bytes));
    this.#spareBytes -= spare.length;
    return spare;
  }

  /** Gives a buffer back; nobody may use it any more. */
  give(buffer: Buffer): void {
    if (this.#spareBytes + buffer.length > MAX_SPARE_BYTES) return;
    this.#spare.push(buffer);
    this.#spareBytes += buffer.length;
  }
}

function sizeFor(bytes: number): number {
  let size = MIN_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
