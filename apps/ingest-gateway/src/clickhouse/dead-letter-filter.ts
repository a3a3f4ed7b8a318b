import type { DeadLetterFilter, DeadLetterPosition } from './dead-letter-types.js';

/** A condition and the values bound in it. */
export interface Condition {
  readonly text: string;
  readonly params: Readonly<Record<string, unknown>>;
}

const CONDITIONS: Readonly<Record<Exclude<keyof DeadLetterFilter, 'replayed'>, string>> = {
  code: 'code = {code:String}',
  type: 'event_type = lowerUTF8({type:String})',
  stage: 'stage = {stage:String}',
  pipeline: 'pipeline = {pipeline:String}',
  agent: '(lowerUTF8(agent_host) = lowerUTF8({agent:String}) OR agent_spki = lowerUTF8({agent:String}))',
  from: "received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')",
  to: "received_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')",
  ids: 'id IN {ids:Array(UUID)}',
};

/** The WHERE clause of a filter; values are bound, never put into the text. */
export function whereOf(filter: DeadLetterFilter, ...more: readonly string[]): Condition {
  const parts = [...more];
  const params: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(CONDITIONS)) {
    const value = filter[name as keyof typeof CONDITIONS];
    if (value === undefined) continue;
    parts.push(text);
    params[name] = value;
  }
  if (filter.replayed !== undefined) parts.push(`replayed_at IS ${filter.replayed ? 'NOT ' : ''}NULL`);
  return { text: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, params };
}

/** Dead letters on one side of a position, in the order of receipt and, within a millisecond, of their ids. */
export function beside(side: '<' | '>', position: DeadLetterPosition | undefined): string[] {
  if (position === undefined) return [];
  const time = "fromUnixTimestamp64Milli({receivedAt:Int64}, 'UTC')";
  // The first part alone lets the sort key leave out what is far away.
  return [`received_at ${side}= ${time}`, `(received_at, id) ${side} (${time}, {positionId:UUID})`];
}

/** Values of `beside`. */
export function positionParams(position: DeadLetterPosition | undefined): Record<string, unknown> {
  return position === undefined ? {} : { receivedAt: position.receivedAt, positionId: position.id };
}
