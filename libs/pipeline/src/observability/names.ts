/** What an instrument is called and what it tells. */
export interface MetricDefinition {
  /** `gateway_<what>_<unit>`; counters end in `_total`. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** All metrics that the runtime keeps of each pipeline (`docs/reference/plugin-api.md`, What is counted). */
export const RUNTIME_METRICS = {
  eventsReceived: {
    name: 'gateway_events_received_total',
    kind: 'counter',
    help: 'Events and rejected messages that sources gave to the pipeline.',
    labels: ['pipeline'],
  },
  bytesReceived: {
    name: 'gateway_event_bytes_received_total',
    kind: 'counter',
    help: 'Size of the raw messages that sources gave to the pipeline, in bytes.',
    labels: ['pipeline'],
  },
  eventsDelivered: {
    name: 'gateway_events_delivered_total',
    kind: 'counter',
    help: 'Events that every sink has written, by event type.',
    labels: ['pipeline', 'type'],
  },
  deadLetters: {
    name: 'gateway_dead_letters_total',
    kind: 'counter',
    help: 'Refused events that are written as dead letters, by code.',
    labels: ['pipeline', 'code'],
  },
  eventsFiltered: {
    name: 'gateway_events_filtered_total',
    kind: 'counter',
    help: 'Events that a step removed.',
    labels: ['pipeline'],
  },
  eventsDropped: {
    name: 'gateway_events_dropped_total',
    kind: 'counter',
    help: 'Events that were dropped, by reason.',
    labels: ['pipeline', 'reason'],
  },
  eventsInFlight: {
    name: 'gateway_events_in_flight',
    kind: 'gauge',
    help: 'Events received and neither delivered, dead-lettered, filtered nor dropped yet.',
    labels: ['pipeline'],
  },
  bufferBytes: {
    name: 'gateway_buffer_bytes',
    kind: 'gauge',
    help: 'Raw bytes that hold credit of the byte budget.',
    labels: ['pipeline'],
  },
  backPressure: {
    name: 'gateway_back_pressure',
    kind: 'gauge',
    help: '1 while sources wait for room, otherwise 0.',
    labels: ['pipeline'],
  },
  queueEntries: {
    name: 'gateway_queue_entries',
    kind: 'gauge',
    help: 'Encoded entries that wait for a sink or are being written.',
    labels: ['pipeline'],
  },
  queueRows: {
    name: 'gateway_queue_rows',
    kind: 'gauge',
    help: 'Rows of the entries in the queue.',
    labels: ['pipeline'],
  },
  queueBytes: {
    name: 'gateway_queue_bytes',
    kind: 'gauge',
    help: 'Encoded bytes of the entries in the queue.',
    labels: ['pipeline'],
  },
  queueOldest: {
    name: 'gateway_queue_oldest_seconds',
    kind: 'gauge',
    help: 'Seconds since the oldest event in the queue was received; 0 when the queue is empty.',
    labels: ['pipeline'],
  },
  eventsRecovered: {
    name: 'gateway_events_recovered_total',
    kind: 'counter',
    help: 'Events that an earlier run had left in the spool and this one has written.',
    labels: ['pipeline'],
  },
  spoolEntries: {
    name: 'gateway_spool_entries',
    kind: 'gauge',
    help: 'Encoded entries on disk, those of sinks that are no longer configured included.',
    labels: ['pipeline'],
  },
  spoolBytes: {
    name: 'gateway_spool_bytes',
    kind: 'gauge',
    help: 'What the entries in the spool cost of the disk, in bytes.',
    labels: ['pipeline'],
  },
  spoolMaxBytes: {
    name: 'gateway_spool_max_bytes',
    kind: 'gauge',
    help: 'Bytes at which the spool is full and sources pause.',
    labels: ['pipeline'],
  },
  spoolFull: {
    name: 'gateway_spool_full',
    kind: 'gauge',
    help: '1 while nothing can be appended to the spool, for want of room or for errors of the disk; otherwise 0.',
    labels: ['pipeline'],
  },
  spoolQuarantined: {
    name: 'gateway_spool_quarantined_entries',
    kind: 'gauge',
    help: 'Entries of the spool that are damaged and set aside.',
    labels: ['pipeline'],
  },
  spoolStranded: {
    name: 'gateway_spool_stranded_entries',
    kind: 'gauge',
    help: 'Entries of the spool that wait for sinks which the pipeline no longer has.',
    labels: ['pipeline'],
  },
  spoolFlushSeconds: {
    name: 'gateway_spool_flush_seconds',
    kind: 'histogram',
    help: 'How long flushes of the spool to disk took, in seconds; one flush serves all that waits.',
    labels: ['pipeline'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
  sinkWrites: {
    name: 'gateway_sink_writes_total',
    kind: 'counter',
    help: 'Attempts to write a batch, by outcome: ok, retryable, permanent or partial.',
    labels: ['pipeline', 'sink', 'outcome'],
  },
  sinkWriteSeconds: {
    name: 'gateway_sink_write_seconds',
    kind: 'histogram',
    help: 'How long attempts to write a batch took, in seconds.',
    labels: ['pipeline', 'sink'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  sinkRows: {
    name: 'gateway_sink_rows_total',
    kind: 'counter',
    help: 'Rows that a sink has written.',
    labels: ['pipeline', 'sink'],
  },
  sinkBytes: {
    name: 'gateway_sink_bytes_total',
    kind: 'counter',
    help: 'Encoded bytes that a sink has written.',
    labels: ['pipeline', 'sink'],
  },
} as const satisfies Record<string, MetricDefinition>;
