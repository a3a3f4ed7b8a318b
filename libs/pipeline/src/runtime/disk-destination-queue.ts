import type { FrozenBatch, Spool, SpoolLane } from '../spool/index.js';
import { DestinationQueue, MAX_SINK_BATCH_BYTES } from './destination-queue.js';

/** The share of a lane that is in one spool. */
export interface LanePart {
  readonly spool: Spool;
  readonly lane: SpoolLane;
}

/** A batch and the spool it is in. */
export interface SealedBatch {
  readonly spool: Spool;
  readonly frozen: FrozenBatch;
  readonly recovered: boolean;
}

/** A queue whose entries are on disk: in the reactor's own spool, and in those it has adopted. */
export class DiskDestinationQueue extends DestinationQueue {
  #parts: LanePart[] = [];

  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { lane } of this.#parts) {
      if (lane.entries > 0) oldest = Math.min(oldest ?? Infinity, lane.oldest ?? Infinity);
    }
    return oldest;
  }

  get rows(): number {
    return this.#parts.reduce((sum, { lane }) => sum + lane.rows, 0);
  }

  get bytes(): number {
    return this.#parts.reduce((sum, { lane }) => sum + lane.bytes, 0);
  }

  get resealed(): number {
    return this.#parts.reduce((sum, { lane }) => sum + lane.recovered.length, 0);
  }

  get parts(): readonly LanePart[] {
    return this.#parts;
  }

  /** Adds a spool's share; once for each spool. */
  join(spool: Spool): void {
    const known = this.#parts.some((part) => part.spool === spool);
    if (!known) this.#parts.push({ spool, lane: spool.lane(this.sink, this.destination) });
  }

  /** Lets go of a spool that is empty. */
  leave(spool: Spool): void {
    this.#parts = this.#parts.filter((part) => part.spool !== spool);
  }

  /** Freezes the next batch: first what an earlier process had frozen, then the oldest. */
  async freeze(maxRows: number): Promise<SealedBatch | undefined> {
    for (let part = this.#recovered(); part !== undefined; part = this.#recovered()) {
      const frozen = await part.spool.freeze(part.lane, maxRows, MAX_SINK_BATCH_BYTES);
      if (frozen !== undefined) return { spool: part.spool, frozen, recovered: true };
    }
    const part = this.#oldestPart();
    const frozen = await part?.spool.freeze(part.lane, maxRows, MAX_SINK_BATCH_BYTES);
    return part === undefined || frozen === undefined
      ? undefined
      : { spool: part.spool, frozen, recovered: false };
  }

  #recovered(): LanePart | undefined {
    return this.#parts.find(({ lane }) => lane.recovered.length > 0);
  }

  #oldestPart(): LanePart | undefined {
    let best: LanePart | undefined;
    for (const part of this.#parts) {
      if (part.lane.entries <= 0) continue;
      if (best === undefined || (part.lane.oldest ?? 0) < (best.lane.oldest ?? 0)) best = part;
    }
    return best;
  }
}
