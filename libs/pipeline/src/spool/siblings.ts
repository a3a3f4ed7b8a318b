import type { EntryMeta, SpoolKey } from './format.js';

/** Looks into a spool's tables. */
export interface Presence {
  /** Whether an entry is still to be written. */
  waits(key: SpoolKey): boolean;
  /** Whether an entry was set aside. */
  setAside(key: SpoolKey): boolean;
}

/**
 * Tells when events that went to several sinks have left the spool for all of them. Nothing is kept for those that wait:
 * entries name their siblings, and the tables say whether these are still there.
 */
export class Siblings {
  /** Entries on their way out, and whether they are lost. */
  readonly #leaving = new Map<string, boolean>();

  constructor(private readonly presence: Presence) {}

  /**
   * An entry is about to leave. Returns how its events have ended, when it is the last that holds them; call `left` when
   * its record is gone.
   */
  beginRemoval(key: SpoolKey, { siblings }: EntryMeta, lost: boolean): 'written' | 'lost' | undefined {
    if (siblings === undefined) return lost ? 'lost' : 'written';
    this.#leaving.set(textOf(key), lost);
    let anyLost = lost;
    for (const sibling of siblings) {
      const state = this.#leaving.get(textOf(sibling));
      if (state === undefined && this.presence.waits(sibling)) return undefined;
      anyLost ||= state ?? this.presence.setAside(sibling);
    }
    return anyLost ? 'lost' : 'written';
  }

  /** The record of an entry that left is gone. */
  endRemoval(key: SpoolKey): void {
    this.#leaving.delete(textOf(key));
  }
}

function textOf([sink, destination, ordinal]: SpoolKey): string {
  return `${sink}\0${destination}\0${ordinal}`;
}
