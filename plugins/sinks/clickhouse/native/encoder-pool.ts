import type { EventType } from '@activity-gateway/pipeline/api';
import { TableEncoder, type TableTypes } from './table-encoder.js';

/** One for the block that is being made, one for what is encoded meanwhile, such as a dead letter that is sent again. */
const MAX_IDLE = 2;

/** The encoders of one event type, of which each makes one block at a time. To make one takes a millisecond. */
export class EncoderPool {
  #types: TableTypes | undefined;
  #idle: TableEncoder[] = [];

  constructor(private readonly type: EventType) {}

  /** An encoder with an empty block. */
  take(): TableEncoder {
    return this.#idle.pop() ?? new TableEncoder(this.type, this.#types);
  }

  /** Gives an encoder back whose block is finished. */
  give(encoder: TableEncoder): void {
    if (encoder.types === this.#types && this.#idle.length < MAX_IDLE) this.#idle.push(encoder);
  }

  /** What is taken from now on encodes for a table with these types. */
  learn(types: TableTypes): void {
    this.#types = types;
    this.#idle = [];
  }
}
