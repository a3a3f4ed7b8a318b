import type { AgentReport } from '@app/pipeline/api';

/** What came from an agent since the start of this gateway. */
export interface AgentTotals {
  /** Messages, refused ones included. */
  readonly events: number;
  /** Bytes. */
  readonly bytes: number;
  /** What its latest certificate says of itself. */
  readonly certificate: NonNullable<AgentReport['certificate']> | null;
}

const NONE: AgentTotals = { events: 0, bytes: 0, certificate: null };

/** Adds up what comes from agents, in memory. */
export class AgentTraffic {
  readonly #totals = new Map<string, AgentTotals>();

  /** Adds a report. */
  add(spkiHash: string, { events, bytes, certificate }: AgentReport): void {
    const before = this.of(spkiHash);
    this.#totals.set(spkiHash, {
      events: before.events + events,
      bytes: before.bytes + bytes,
      certificate: certificate ?? before.certificate,
    });
  }

  /** What came from an agent so far. */
  of(spkiHash: string): AgentTotals {
    return this.#totals.get(spkiHash) ?? NONE;
  }

  /** Forgets an agent. */
  forget(spkiHash: string): void {
    this.#totals.delete(spkiHash);
  }
}
