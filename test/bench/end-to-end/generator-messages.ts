import type { AgentCredentials } from '../../support/raw-agent.js';
import type { CorpusName } from './corpora.js';

/** What the generator process is asked to do. */
export type GeneratorQuestion =
  | { readonly do: 'prepare'; readonly corpus: CorpusName }
  /** One connection for each agent; with `acks` each begins with a Hello. */
  | {
      readonly do: 'open';
      readonly port: number;
      readonly agents: readonly AgentCredentials[];
      readonly acks: boolean;
    }
  /** As fast as back-pressure allows. */
  | { readonly do: 'flood'; readonly ms: number }
  /** At a fixed rate over all connections, measuring from each write to the Ack that covers it. */
  | { readonly do: 'pace'; readonly ms: number; readonly perSecond: number }
  | { readonly do: 'close' };

/** What a `prepare`, `flood` or `pace` gave; all zero for other questions. */
export interface GeneratorAnswer {
  /** Whole events that were sent, or are in the corpus. */
  readonly events: number;
  readonly bytes: number;
  /** From the first write until the kernel had the last byte, or, with `pace`, until the last Ack. */
  readonly seconds: number;
  /** CPU of the generator process in that time, seconds. */
  readonly cpuSeconds: number;
  readonly latency?: Latency;
}

/** From handing a message to the socket to the Ack that covers it, ms; each message counts once. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
