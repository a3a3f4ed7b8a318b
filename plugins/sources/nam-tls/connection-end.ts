import type { ConnectionEnd } from '@activity-gateway/pipeline/api';
import type { CloseReason } from './source-metrics.js';

/** How long an ended connection stays for its last Acks, ms: the idle timeout, within these bounds. */
const LAST_ACKS_MS = { min: 30_000, max: 120_000 };
/** Ends that an agent which asked for Acks is still told for what is durable. The others close at once. */
const WITH_LAST_ACKS: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'ended',
  'stopping',
  'not_durable',
  'protocol_violation',
  'message_memory',
  'displaced',
  'limit',
]);

/** Why the gateway ends a connection gracefully. */
export type EndReason = ConnectionEnd | 'stopping';

/** Whether the gateway ends a connection for this reason gracefully: what has arrived is taken. */
export function isEndReason(reason: CloseReason | undefined): boolean {
  return reason === 'stopping' || reason === 'displaced' || reason === 'limit';
}

/** Whether an agent that asked for Acks is told what is durable before its connection closes for this reason. */
export function tellsLastAcks(reason: CloseReason | undefined): boolean {
  return reason !== undefined && WITH_LAST_ACKS.has(reason);
}

/** How long such a connection stays, ms. */
export function lastAcksMs(idleTimeoutMs: number): number {
  return Math.min(Math.max(idleTimeoutMs, LAST_ACKS_MS.min), LAST_ACKS_MS.max);
}
