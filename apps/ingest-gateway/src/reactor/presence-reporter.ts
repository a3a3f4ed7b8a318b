import type { AgentPresence, PeerCertificate } from '@app/pipeline/api';
import type { ReportedActivity } from './messages.js';
import type { Port } from './port.js';

interface Activity {
  events: number;
  bytes: number;
  certificate?: PeerCertificate;
}

/** Tells the control plane which agents are connected, and once a second which of them were heard of and what they sent. */
export class PresenceReporter implements AgentPresence {
  #seen = new Set<string>();
  #activity = new Map<string, Activity>();

  constructor(
    private readonly port: Port,
    private readonly now: () => number = Date.now,
  ) {}

  connected(spkiHash: string, connectionId: string, certificate?: PeerCertificate): void {
    if (certificate !== undefined) this.#of(spkiHash).certificate = certificate;
    this.port.send({ type: 'agent-connected', spkiHash, connectionId });
  }

  disconnected(spkiHash: string, connectionId: string): void {
    this.port.send({ type: 'agent-disconnected', spkiHash, connectionId });
  }

  seen(spkiHash: string): void {
    this.#seen.add(spkiHash);
  }

  received(spkiHash: string, messages: number, bytes: number): void {
    const activity = this.#of(spkiHash);
    activity.events += messages;
    activity.bytes += bytes;
  }

  /** Sends who was seen since the last time, and what each did. */
  flush(): void {
    if (this.#seen.size === 0 && this.#activity.size === 0) return;
    const activity: ReportedActivity[] = [...this.#activity].map(([spkiHash, each]) => ({
      spkiHash,
      ...each,
    }));
    this.port.send({ type: 'agents-seen', spkiHashes: [...this.#seen], at: this.now(), activity });
    this.#seen = new Set();
    this.#activity = new Map();
  }

  #of(spkiHash: string): Activity {
    const known = this.#activity.get(spkiHash);
    if (known !== undefined) return known;
    const made: Activity = { events: 0, bytes: 0 };
    this.#activity.set(spkiHash, made);
    return made;
  }
}
