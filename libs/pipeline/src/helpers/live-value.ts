import type { LiveValue } from '../api/index.js';

/** A live value that its owner can replace. Listeners run in the order of their subscription. */
export interface WritableLiveValue<T> extends LiveValue<T> {
  /** Replaces the value and tells every listener, unless it is the same value. */
  set(value: T): void;
}

/** Makes a live value. */
export function createLiveValue<T>(initial: T): WritableLiveValue<T> {
  const listeners = new Set<(value: T) => void>();
  let current = initial;
  return {
    get current() {
      return current;
    },
    set(value) {
      if (Object.is(value, current)) return;
      current = value;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      const own = (value: T): void => listener(value);
      listeners.add(own);
      return () => listeners.delete(own);
    },
  };
}
