import type { Counter, Gauge, Metrics } from '../api/index.js';

/** Instruments of the admission. */
export interface AdmissionInstruments {
  readonly accepted: Counter;
  readonly rejected: Counter;
  readonly displaced: Counter;
  readonly keyDisplaced: Counter;
  readonly overLimit: Counter;
  readonly open: Gauge;
  readonly unidentified: Gauge;
  readonly bans: Gauge;
  readonly slowed: Gauge;
}

/** Makes the instruments. */
export function admissionInstruments(metrics: Metrics): AdmissionInstruments {
  return {
    accepted: metrics.counter(
      'gateway_connections_accepted_total',
      'Connections that passed bans and limits of the listener.',
    ),
    rejected: metrics.counter(
      'gateway_connections_rejected_total',
      'Connections closed before any TLS work, by reason.',
      ['reason'],
    ),
    displaced: metrics.counter(
      'gateway_connections_displaced_total',
      'Unidentified connections that gave way to newer ones because their pool was full.',
    ),
    keyDisplaced: metrics.counter(
      'gateway_key_connections_displaced_total',
      'Silent connections that gave way to a newer one of their key.',
    ),
    overLimit: metrics.counter(
      'gateway_connections_over_limit_total',
      'Identified connections that were ended because there was no place for them, by limit.',
      ['limit'],
    ),
    open: metrics.gauge(
      'gateway_connections_open',
      'Identified connections: those that count against activitymonitor_max_connections.',
    ),
    unidentified: metrics.gauge(
      'gateway_connections_unidentified',
      'Open connections whose peer has not proved to hold a known key.',
    ),
    bans: metrics.gauge('gateway_bans_active', 'Source addresses that are banned.'),
    slowed: metrics.gauge(
      'gateway_addresses_slowed',
      'Source addresses that are slowed instead of banned, because peers with known keys are behind them.',
    ),
  };
}
