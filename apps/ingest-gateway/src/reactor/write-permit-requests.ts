import type { WritePermits } from '@activity-gateway/pipeline/host';
import type { Port } from './port.js';

/** Asks the control plane for a permit before each write: how many there are at a time is bounded over all reactors. */
export class WritePermitRequests implements WritePermits {
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;
  #open = false;

  constructor(private readonly port: Port) {}

  async run<T>(pool: string, work: () => Promise<T>): Promise<T> {
    if (this.#open) return work();
    const requestId = (this.#lastId += 1);
    await new Promise<void>((resolve) => {
      this.#waiting.set(requestId, resolve);
      this.port.send({ type: 'write-permit-wanted', requestId, pool });
    });
    try {
      return await work();
    } finally {
      this.port.send({ type: 'write-permit-done', pool });
    }
  }

  /** The control plane's grant. */
  granted(requestId: number): void {
    this.#waiting.get(requestId)?.();
    this.#waiting.delete(requestId);
  }

  /** Nobody grants permits any more: what is left is written without. */
  open(): void {
    this.#open = true;
    for (const resolve of this.#waiting.values()) resolve();
    this.#waiting.clear();
  }
}
