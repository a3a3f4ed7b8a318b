/** Identified connections, in total and by key. */
export class KeyPlaces {
  readonly #keys = new Map<string, string>();
  readonly #byKey = new Map<string, Set<string>>();

  get size(): number {
    return this.#keys.size;
  }

  add(id: string, key: string): void {
    this.#keys.set(id, key);
    const ids = this.#byKey.get(key);
    if (ids === undefined) this.#byKey.set(key, new Set([id]));
    else ids.add(id);
  }

  /** Safe twice. */
  remove(id: string): void {
    const key = this.#keys.get(id);
    if (key === undefined) return;
    this.#keys.delete(id);
    const ids = this.#byKey.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#byKey.delete(key);
  }

  /** Whether a connection has a place. */
  has(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Connections of a key, the oldest first. */
  of(key: string): string[] {
    return [...(this.#byKey.get(key) ?? [])];
  }

  /** How many connections a key has. */
  countOf(key: string): number {
    return this.#byKey.get(key)?.size ?? 0;
  }
}
