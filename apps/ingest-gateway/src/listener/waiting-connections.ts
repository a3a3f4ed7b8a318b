import type { AcceptedConnection } from '@activity-gateway/pipeline/host';

/** Connections that wait, paused, until a reactor is ready; each for a limited time. */
export class WaitingConnections {
  readonly #waiting = new Map<AcceptedConnection, NodeJS.Timeout>();

  /**
   * @param holdMs longest wait, ms
   * @param refuse told of a connection that waited in vain
   */
  constructor(
    private readonly holdMs: number,
    private readonly refuse: (connection: AcceptedConnection) => void,
  ) {}

  add(connection: AcceptedConnection): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(connection);
      this.refuse(connection);
    }, this.holdMs);
    this.#waiting.set(connection, timer);
  }

  /** Gives all that wait, in the order of their coming. */
  takeAll(): AcceptedConnection[] {
    const all = [...this.#waiting.keys()];
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    return all;
  }

  /** Refuses one; whether it waited. */
  refuseOne(id: string): boolean {
    for (const [connection, timer] of this.#waiting) {
      if (connection.id !== id) continue;
      clearTimeout(timer);
      this.#waiting.delete(connection);
      this.refuse(connection);
      return true;
    }
    return false;
  }

  /** Refuses all that wait. */
  close(): void {
    for (const connection of this.takeAll()) this.refuse(connection);
  }
}
