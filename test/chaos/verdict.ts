import type { AckAgent } from '../support/ack-agent.js';

/** What was found at the end. */
export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** Events that were handed to a further connection. */
  readonly resent: number;
  /** Acknowledged events that are not in ClickHouse. */
  readonly lost: string[];
  /** Events that are there more than once, though they were handed over once or in a numbered stream. */
  readonly duplicates: string[];
  /** Events that are there more than once after an agent without numbers had handed them over more than once. */
  readonly resentDuplicates: number;
  /** Events that an agent which sends everything again has not had acknowledged. */
  readonly unacknowledged: number;
  /** Connections of numbered streams whose gateway did not recognise the stream. */
  readonly unrecognised: number;
}

/** How often each event of an agent is in ClickHouse, by its number. */
export type Copies = ReadonlyMap<number, number>;

/** Compares what agents know with what is in ClickHouse; asks for one agent after the other. */
export async function judge(
  agents: readonly AckAgent[],
  copiesOf: (agent: AckAgent) => Promise<Copies>,
): Promise<Verdict> {
  const lost: string[] = [];
  const duplicates: string[] = [];
  let resentDuplicates = 0;
  for (const agent of agents) {
    const copies = await copiesOf(agent);
    for (const id of agent.acknowledged) if (!copies.has(id)) lost.push(`${agent.name}/${id}`);
    for (const [id, count] of copies) {
      if (count < 2) continue;
      if (agent.mayBeTwice.has(id)) resentDuplicates += 1;
      else duplicates.push(`${agent.name}/${id}`);
    }
  }
  const sum = (each: (agent: AckAgent) => number): number =>
    agents.reduce((total, agent) => total + each(agent), 0);
  return {
    sent: sum(({ sent }) => sent),
    acknowledged: sum(({ acknowledged }) => acknowledged.size),
    resent: sum(({ resent }) => resent),
    lost,
    duplicates,
    resentDuplicates,
    unacknowledged: sum(({ resend, sent, acknowledged }) =>
      resend === 'never' ? 0 : sent - acknowledged.size,
    ),
    unrecognised: sum(({ unrecognised }) => unrecognised),
  };
}

/** A verdict as a line for people. */
export function describeVerdict(verdict: Verdict): string {
  const { sent, acknowledged, resent, lost, duplicates, resentDuplicates } = verdict;
  return (
    `${sent} sent, ${acknowledged} acknowledged, ${resent} sent again, ${lost.length} lost, ${duplicates.length} stored twice` +
    (resentDuplicates > 0 ? ` (and ${resentDuplicates} of agents that resend without numbers)` : '')
  );
}

/** What a gateway that keeps its promise is found to have done; for `toMatchObject`. */
export const KEPT = { lost: [], duplicates: [], unacknowledged: 0, unrecognised: 0 } as const;
