/** Sizes of a pool, bytes. */
export interface BufferPoolSizes {
  /** Buffers are made in sizes of a power of two from this on, so that one fits the next use too. */
  readonly minBytes: number;
  /** Bytes of buffers that are kept for further use at most. */
  readonly maxSpareBytes: number;
}

/**
 * Buffers that are used again. A new one for each entry, or for each batch, outlives the garbage collector's young
 * generation while it waits for a disk or a server, and only a full collection frees it.
 */
export class BufferPool {
  #spare: Buffer[] = [];
  #spareBytes = 0;

  constructor(private readonly sizes: BufferPoolSizes) {}

  /** A buffer of at least so many bytes; what it holds is of no meaning. */
  take(bytes: number): Buffer {
    const at = this.#spare.findIndex(({ length }) => length >= bytes);
    const [spare] = at === -1 ? [] : this.#spare.splice(at, 1);
    if (spare === undefined) return Buffer.allocUnsafeSlow(this.#sizeFor(bytes));
    this.#spareBytes -= spare.length;
    return spare;
  }

  /** Gives a whole buffer back; nobody may use it any more. */
  give(buffer: Buffer): void {
    if (this.#spareBytes + buffer.length > this.sizes.maxSpareBytes) return;
    this.#spare.push(buffer);
    this.#spareBytes += buffer.length;
  }

  #sizeFor(bytes: number): number {
    let size = this.sizes.minBytes;
    while (size < bytes) size *= 2;
    return size;
  }
}
