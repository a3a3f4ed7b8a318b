import type { EncodedEntry, EventType, OpenEntry, RecordBatch, Sink } from '../api/index.js';

/** Begins an entry of a sink. @throws what the sink throws */
export function openEntry(sink: Pick<Sink, 'encode' | 'open'>, type: EventType, entryId: string): OpenEntry {
  return sink.open?.(type, entryId) ?? new JoinedEntry(sink, entryId);
}

/** An entry of a sink that encodes batches only: what it gives for each of them, one after the other. */
class JoinedEntry implements OpenEntry {
  readonly #pieces: EncodedEntry[] = [];
  /** Pieces before the last batch. */
  #marked = 0;

  constructor(
    private readonly sink: Pick<Sink, 'encode'>,
    private readonly entryId: string,
  ) {}

  add(batch: RecordBatch): void {
    this.#marked = this.#pieces.length;
    const piece = this.sink.encode(batch, this.entryId);
    checkBytes(piece);
    const [first = piece] = this.#pieces;
    if (piece.destination !== first.destination) throw new Error('The batch goes to another destination.');
    this.#pieces.push(piece);
  }

  undo(): void {
    this.#pieces.length = this.#marked;
  }

  finish(): EncodedEntry {
    const [first, ...others] = this.#pieces;
    if (first === undefined) throw new Error('Nothing was added to the entry.');
    if (others.length === 0) return first;
    const bytes = Buffer.concat(this.#pieces.map((piece) => piece.bytes));
    return { ...first, bytes, rows: this.#pieces.reduce((sum, { rows }) => sum + rows, 0) };
  }
}

/** @throws TypeError when a sink gave an entry without bytes */
export function checkBytes({ bytes }: EncodedEntry): void {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('The sink gave an entry without bytes.');
}
