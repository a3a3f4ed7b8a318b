import type { Effect } from '@activity-gateway/pipeline/host';
import type { ListenerStatus } from '../listener/types.js';
import { component, shape, TIME } from '../openapi/component.js';
import { iso } from './iso.js';

/** A banned or slowed address. */
export interface BanView {
  /** An IPv4 address, or the /64 network of an IPv6 address. */
  readonly ip: string;
  /** ISO 8601, UTC. */
  readonly until: string;
  /** Bounded code. */
  readonly reason: string;
  /** `ban`: nothing is let in; `slow`: a little is, because agents are known to be behind the address. */
  readonly effect: Effect;
}

/** Schema of `BanView`. */
export const banViewSchema = component(
  'Ban',
  shape({
    ip: {
      type: 'string',
      description: 'IPv4 address, or the /64 network of an IPv6 address, such as 2001:db8:0:1::/64.',
    },
    until: TIME,
    reason: { type: 'string', description: 'What it was banned for.' },
    effect: {
      enum: ['ban', 'slow'],
      description:
        'ban = every connection is closed; slow = at most 2 new handshakes a second and 4 unidentified connections, because an agent was identified from there in the last hour.',
    },
  }),
);

/** A ban for the document's examples. */
export const exampleBan: BanView = {
  ip: '192.0.2.7',
  until: '2026-11-20T09:15:12.187Z',
  reason: 'invalid_enrollment_code',
  effect: 'ban',
};

/** A ban as the API shows it. */
export function toBanView(ban: ListenerStatus['bans'][number]): BanView {
  const { address, until, reason, effect } = ban;
  return { ip: address, until: iso(until), reason, effect };
}
