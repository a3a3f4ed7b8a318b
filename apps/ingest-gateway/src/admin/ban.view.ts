import type { ListenerStatus } from '../listener/types.js';
import { component, shape, TIME } from '../openapi/component.js';
import { iso } from './iso.js';

/** A banned address. */
export interface BanView {
  readonly ip: string;
  /** ISO 8601, UTC. */
  readonly until: string;
  /** Bounded code. */
  readonly reason: string;
}

/** Schema of `BanView`. */
export const banViewSchema = component(
  'Ban',
  shape({
    ip: { type: 'string', description: 'IPv4 or IPv6 address, canonical.' },
    until: TIME,
    reason: { type: 'string', description: 'What it was banned for.' },
  }),
);

/** A ban for the document's examples. */
export const exampleBan: BanView = {
  ip: '192.0.2.7',
  until: '2026-11-20T09:15:12.187Z',
  reason: 'invalid_enrollment_code',
};

/** A ban as the API shows it. */
export function toBanView(ban: ListenerStatus['bans'][number]): BanView {
  return { ip: ban.ip, until: iso(ban.until), reason: ban.reason };
}
