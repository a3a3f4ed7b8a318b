import type { AgentPresence, AgentReport } from '@activity-gateway/activity';
import type { ReactorChannel } from './messages.js';

/** Tells the control plane which agents are connected, and once a second what came from which. */
export class PresenceReporter implements AgentPresence {
  #seen = new Map<string, AgentReport>();

  constructor(
    private readonly channel: Pick<ReactorChannel, 'notify'>,
    private readonly now: () => number = Date.now,
  ) {}

  connected(spkiHash: string, connectionId: string): void {
    this.channel.notify({ type: 'agent-connected', spkiHash, connectionId });
  }

  disconnected(spkiHash: string, connectionId: string): void {
    this.channel.notify({ type: 'agent-disconnected', spkiHash, connectionId });
  }

  seen(spkiHash: string, report: AgentReport = NOTHING): void {
    this.#seen.set(spkiHash, addReports(this.#seen.get(spkiHash), report));
  }

  /** Sends who was seen since the last time. */
  flush(): void {
    if (this.#seen.size === 0) return;
    const reports = Object.fromEntries(this.#seen);
    this.channel.notify({ type: 'agents-seen', spkiHashes: [...this.#seen.keys()], at: this.now(), reports });
    this.#seen = new Map();
  }
}

const NOTHING: AgentReport = { events: 0, bytes: 0 };

function addReports(before: AgentReport | undefined, more: AgentReport): AgentReport {
  if (before === undefined) return more;
  const certificate = more.certificate ?? before.certificate;
  return {
    events: before.events + more.events,
    bytes: before.bytes + more.bytes,
    ...(certificate && { certificate }),
  };
}
