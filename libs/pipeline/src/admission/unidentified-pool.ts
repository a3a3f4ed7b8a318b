interface Waiting {
  readonly group: string;
  /** Monotonic, ms. */
  readonly since: number;
}

/** Connections whose peers have not proved a known key yet, by age and by address group. */
export class UnidentifiedPool {
  /** In the order of their coming. */
  readonly #since = new Map<string, Waiting>();
  /** Ids by group, each in the order of their coming. */
  readonly #byGroup = new Map<string, Set<string>>();

  get size(): number {
    return this.#since.size;
  }

  /** @param since monotonic time, ms; never earlier than that of the connection added before */
  add(id: string, group: string, since: number): void {
    this.#since.set(id, { group, since });
    const ids = this.#byGroup.get(group);
    if (ids === undefined) this.#byGroup.set(group, new Set([id]));
    else ids.add(id);
  }

  /** Identified, closed, or given up. Safe twice. */
  remove(id: string): void {
    const group = this.#since.get(id)?.group;
    if (group === undefined) return;
    this.#since.delete(id);
    const ids = this.#byGroup.get(group);
    ids?.delete(id);
    if (ids?.size === 0) this.#byGroup.delete(group);
  }

  /** Connections of a group, the oldest first. */
  of(group: string): string[] {
    return [...(this.#byGroup.get(group) ?? [])];
  }

  /** How many connections a group has here. */
  countOf(group: string): number {
    return this.#byGroup.get(group)?.size ?? 0;
  }

  /** The oldest connection of a group. */
  oldestOf(group: string): string | undefined {
    return this.#byGroup.get(group)?.keys().next().value;
  }

  /** The oldest connection of the group with most; among equal groups, of the one that has waited longest. */
  oldestOfLargest(): string | undefined {
    let largest = 0;
    for (const { size } of this.#byGroup.values()) largest = Math.max(largest, size);
    for (const [id, { group }] of this.#since) if (this.countOf(group) === largest) return id;
    return undefined;
  }

  /** The connection that has waited longest, and since when (monotonic, ms). */
  oldest(): { readonly id: string; readonly since: number } | undefined {
    const [first] = this.#since;
    return first && { id: first[0], since: first[1].since };
  }
}
