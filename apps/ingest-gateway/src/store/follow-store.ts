import { GatewayError } from '@activity-gateway/pipeline/api';
import type { StoreChanges } from './repositories.js';

/** A part that holds in memory what is in the store. */
export interface StoreSnapshot {
  /** Whether it has been read. */
  readonly loaded: boolean;
  /** Reads it anew; rejects, and keeps what it has, when that fails. */
  reload(): Promise<void>;
}

/** Snapshots that follow a store. */
export interface StoreFollower {
  /** Resolves when every snapshot has been read; never when the store does not come. */
  readonly loaded: Promise<void>;
  stop(): void;
}

/** Reads snapshots anew whenever others may have changed the store, in their order. */
export function followStore(changes: StoreChanges, snapshots: readonly StoreSnapshot[]): StoreFollower {
  let resolve: () => void;
  const loaded = new Promise<void>((done) => (resolve = done));
  const check = (): void => {
    if (snapshots.every((snapshot) => snapshot.loaded)) resolve();
  };
  const stop = changes.subscribe(async () => {
    for (const snapshot of snapshots) await snapshot.reload();
    check();
  });
  check();
  return { loaded, stop };
}

/**
 * Reads for the first snapshot; `undefined` when the store is not there yet, so that a gateway can start before it.
 * @throws whatever else the read fails with
 */
export async function readIfThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE') return undefined;
    throw error;
  }
}
