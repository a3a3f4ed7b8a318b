import type { ReplayItem } from '@activity-gateway/pipeline/host';
import type { DeadLetter, DeadLetterPosition } from '../clickhouse/types.js';

/** Dead letters as the pipelines that they are of take them, by pipeline. */
export function itemsByPipeline(letters: readonly DeadLetter[]): Map<string, ReplayItem[]> {
  const items = new Map<string, ReplayItem[]>();
  for (const letter of letters) {
    const others = items.get(letter.pipeline);
    if (others === undefined) items.set(letter.pipeline, [toItem(letter)]);
    else others.push(toItem(letter));
  }
  return items;
}

/** Where a dead letter stands among the others. */
export function positionOf({ received_at: receivedAt, id }: DeadLetter): DeadLetterPosition {
  return { receivedAt: Date.parse(receivedAt), id };
}

/** What it came with is what it is replayed with: the agent's key, name and address, and the time of its receipt. */
function toItem(letter: DeadLetter): ReplayItem {
  const { id, raw, raw_encoding: encoding, destination } = letter;
  return {
    id,
    origin: {
      connectionId: `replay/${id}`,
      sender: letter.agent_spki,
      senderHost: letter.agent_host,
      sourceIp: letter.source_ip,
    },
    receivedAt: Date.parse(letter.received_at),
    raw,
    encoding: encoding === 'row' || encoding === 'base64' ? encoding : 'utf8',
    destination,
  };
}
