import type { Block, EncodedEntry, RecordBatch, Sink } from '../api/index.js';

/** Bytes of a batch, or a function that completes them where they contain the id of their entry. */
export type EncodedBatch = Uint8Array | ((entryId: string) => Uint8Array);

/**
 * Makes the block of a sink that needs no more than a function: the entry holds the bytes of its batches, one after the
 * other. Do it this way where many small pieces cost no more than a large one.
 * @param destination as `EncodedEntry.destination`
 * @param encode      encodes one batch; must depend on nothing else, and may throw
 */
export function encodeOnly(destination: string, encode: (batch: RecordBatch) => EncodedBatch): Block {
  return new JoinedBlock(destination, encode);
}

/**
 * Encodes one batch as an entry.
 * @throws what the sink throws; TypeError for an entry without bytes
 */
export function encodeBatch(sink: Pick<Sink, 'open'>, batch: RecordBatch, entryId: string): EncodedEntry {
  const block = sink.open(batch.type);
  block.add(batch);
  return finishBlock(block, entryId);
}

/** Finishes a block. @throws what the sink throws; TypeError for an entry without bytes */
export function finishBlock(block: Block, entryId: string): EncodedEntry {
  const entry = block.finish(entryId);
  checkBytes(entry.bytes);
  return entry;
}

function checkBytes(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('The sink gave an entry without bytes.');
}

class JoinedBlock implements Block {
  readonly #pieces: EncodedBatch[] = [];
  #rows = 0;
  /** Pieces and rows before the last batch. */
  #before = { pieces: 0, rows: 0 };

  constructor(
    private readonly destination: string,
    private readonly encode: (batch: RecordBatch) => EncodedBatch,
  ) {}

  add(batch: RecordBatch): void {
    this.#before = { pieces: this.#pieces.length, rows: this.#rows };
    const piece = this.encode(batch);
    if (typeof piece !== 'function') checkBytes(piece);
    this.#pieces.push(piece);
    this.#rows += batch.records.length;
  }

  undo(): void {
    this.#pieces.length = this.#before.pieces;
    this.#rows = this.#before.rows;
  }

  finish(entryId: string): EncodedEntry {
    const pieces = this.#pieces.map((piece) => (typeof piece === 'function' ? piece(entryId) : piece));
    const [first] = pieces;
    const bytes = first !== undefined && pieces.length === 1 ? first : Buffer.concat(pieces);
    return { destination: this.destination, bytes, rows: this.#rows };
  }
}
