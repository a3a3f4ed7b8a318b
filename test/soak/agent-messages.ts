/** One agent of the generator. */
export interface AgentPlan {
  readonly name: string;
  readonly certPem: string;
  readonly keyPem: string;
  /** Events a second that it offers over all its connections; `null` = as fast as it can. */
  readonly perSecond: number | null;
  /** As `EventLines`. */
  readonly badEvery: number;
  /** It ends its connection in order and makes another after so many ms; `null` = never. */
  readonly reconnectMs: number | null;
}

/** To a generator process. */
export type ToAgents =
  | { readonly do: 'start'; readonly port: number; readonly agents: readonly AgentPlan[] }
  /** A new rate for each agent; what was offered and not sent is forgotten. */
  | { readonly do: 'rate'; readonly perSecond: number | null }
  /** Offer nothing more, wait for the last Acks, end the connections, tell the totals and exit. */
  | { readonly do: 'stop' };

/** Numbers of one agent since its start. */
export interface AgentTotals {
  readonly name: string;
  /** Events that it would have sent by now at its rate; as `sent` where it has none. */
  readonly offered: number;
  /** Events handed to a socket, bad ones included. */
  readonly sent: number;
  readonly bad: number;
  readonly acked: number;
  readonly connections: number;
  /** Connections that broke, though the agent had not ended them. */
  readonly broken: number;
}

/** From a generator process. */
export interface FromAgents {
  /** `tick`: every half second; `stopped`: the last one. */
  readonly type: 'tick' | 'stopped';
  readonly agents: readonly AgentTotals[];
  /** Time from each write since the last message until the Ack that covers it, ms. */
  readonly latencies: readonly number[];
}
