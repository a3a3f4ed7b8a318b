import type { Counter, Gauge, Metrics } from '@activity-gateway/pipeline/api';

/** Why a connection ended: a bounded set, for logs and metrics. */
export type CloseReason =
  /** The agent ended its side in order. */
  | 'ended'
  /** The agent, or something on the way, broke the connection. */
  | 'reset'
  | 'no_server_certificate'
  | 'handshake_failed'
  | 'handshake_timeout'
  /** The peer sent too much before its handshake was done. */
  | 'handshake_too_large'
  /** The handshake took long, and others were waiting for its place. */
  | 'handshake_displaced'
  | 'first_message_timeout'
  /** A message began and did not end in time. */
  | 'message_timeout'
  | 'no_client_certificate'
  | 'unreadable_client_certificate'
  | 'certificate_chain_too_long'
  | 'rsa_key_too_large'
  | 'unknown_agent'
  | 'enrolled'
  | 'enrollment_rejected'
  | 'enrollment_unavailable'
  | 'protocol_violation'
  | 'oversized_message'
  /** It held most of the memory that unfinished messages share when that was used up. */
  | 'message_memory'
  | 'idle'
  /** Messages of an agent that asked for Acks were dropped: it has to send them again. */
  | 'not_durable'
  /** An agent that asked for Acks does not read them. */
  | 'acks_unread'
  /** The agent goes on with its stream over another connection. */
  | 'superseded'
  /** An older connection of the agent's stream is not done with, or a part of the gateway does not answer. */
  | 'stream_busy'
  /** Silent, and the agent's key has as many connections as it may have: a newer one takes its place. */
  | 'displaced'
  /** There is no place for one more connection, or for one more of this key. */
  | 'limit'
  /** The agent was taken off the allowlist. */
  | 'removed'
  /** The pipeline is being stopped. */
  | 'stopping'
  /** A fault of the gateway. */
  | 'internal_error';

/** Instruments of the source. */
export interface SourceMetrics {
  readonly open: Gauge;
  readonly closed: Counter;
  readonly handshakesFailed: Counter;
  readonly unknownAgents: Counter;
  readonly enrollments: Counter;
  readonly bytesDiscarded: Counter;
  readonly messagesRefused: Counter;
  readonly messagesRepeated: Counter;
}

/** Makes the instruments; the names stand in this plugin's README. */
export function sourceMetrics(metrics: Metrics): SourceMetrics {
  return {
    open: metrics.gauge('gateway_agent_connections', 'Connections that the source serves now.'),
    closed: metrics.counter(
      'gateway_agent_connections_closed_total',
      'Connections that ended, by why they ended.',
      ['reason'],
    ),
    handshakesFailed: metrics.counter(
      'gateway_tls_handshakes_failed_total',
      'TLS handshakes that did not succeed or brought no usable client certificate.',
    ),
    unknownAgents: metrics.counter(
      'gateway_unknown_agents_total',
      'Connections closed because the key of the peer is not in the allowlist.',
    ),
    enrollments: metrics.counter('gateway_enrollments_total', 'Enrollment requests, by outcome.', [
      'outcome',
    ]),
    bytesDiscarded: metrics.counter(
      'gateway_frame_bytes_discarded_total',
      'Bytes from allowlisted agents that never made a whole message, by why the connection ended.',
      ['reason'],
    ),
    messagesRefused: metrics.counter(
      'gateway_source_messages_refused_total',
      'Messages that the pipeline no longer took because it was stopping.',
    ),
    messagesRepeated: metrics.counter(
      'gateway_source_messages_repeated_total',
      'Messages that agents sent again although they were stored already: acknowledged, and not stored twice.',
    ),
  };
}
