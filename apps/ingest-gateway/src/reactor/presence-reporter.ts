import type { AgentPresence } from '@app/pipeline/api';
import type { Port } from './port.js';

/** Tells the control plane which agents are connected, and once a second which of them were heard of. */
export class PresenceReporter implements AgentPresence {
  #seen = new Set<string>();

  constructor(
    private readonly port: Port,
    private readonly now: () => number = Date.now,
  ) {}

  connected(spkiHash: string, connectionId: string): void {
    this.port.send({ type: 'agent-connected', spkiHash, connectionId });
  }

  disconnected(spkiHash: string, connectionId: string): void {
    this.port.send({ type: 'agent-disconnected', spkiHash, connectionId });
  }

  seen(spkiHash: string): void {
    this.#seen.add(spkiHash);
  }

  /** Sends who was seen since the last time. */
  flush(): void {
    if (this.#seen.size === 0) return;
    this.port.send({ type: 'agents-seen', spkiHashes: [...this.#seen], at: this.now() });
    this.#seen = new Set();
  }
}
