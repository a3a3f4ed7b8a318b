import type { Migration, MigrationContext } from './migration.js';

/** The gateway's stamps: what the payload cannot set. The index serves the look-up of a write whose outcome is unknown. */
const STAMPS = `
  received_at DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  agent_spki LowCardinality(String),
  agent_host LowCardinality(String),
  source_ip IPv6 CODEC(ZSTD(1)),
  ingest_batch String CODEC(ZSTD(1)),
  INDEX ix_ingest_batch ingest_batch TYPE minmax GRANULARITY 1`;

/**
 * The window is what makes an insert under the same token count once; without it the token does nothing. A shorter
 * retention then only recalculates the TTL of old parts and drops whole parts, it rewrites none.
 */
const SETTINGS = `SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1`;

const FILE_EVENTS = `
  event_time DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  host LowCardinality(String),
  operation LowCardinality(String),
  object_type LowCardinality(String),
  path String CODEC(ZSTD(1)),
  new_path String CODEC(ZSTD(1)),
  user_name String CODEC(ZSTD(1)),
  user_sid String CODEC(ZSTD(1)),
  client_ip Nullable(IPv6) CODEC(ZSTD(1)),
  process_name LowCardinality(String),
  process_id Nullable(UInt64) CODEC(ZSTD(1)),
  protocol LowCardinality(String),
  protocol_version LowCardinality(String),
  share_name LowCardinality(String),
  unc_path String CODEC(ZSTD(1)),
  new_unc_path String CODEC(ZSTD(1)),
  volume_id LowCardinality(String),
  sub_operation LowCardinality(String),
  old_value String CODEC(ZSTD(1)),
  new_value String CODEC(ZSTD(1)),
  file_size Nullable(UInt64) CODEC(ZSTD(1)),
  bytes_transferred Nullable(UInt64) CODEC(ZSTD(1)),
  success Bool,
  blocked Bool,
  tags Array(String) CODEC(ZSTD(1)),
  group_id LowCardinality(String),
  group_name LowCardinality(String),
  extra String CODEC(ZSTD(1)),
  INDEX ix_user_name user_name TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_user_sid user_sid TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_client_ip client_ip TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_path lower(path) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 4,`;

const SHAREPOINT_EVENTS = `
  event_time DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  id String CODEC(ZSTD(1)),
  organization_id LowCardinality(String),
  source LowCardinality(String),
  event_type LowCardinality(String),
  user_id String CODEC(ZSTD(1)),
  user_name String CODEC(ZSTD(1)),
  user_login String CODEC(ZSTD(1)),
  user_type LowCardinality(String),
  client_ip Nullable(IPv6) CODEC(ZSTD(1)),
  user_agent String CODEC(ZSTD(1)),
  workload LowCardinality(String),
  result_status LowCardinality(String),
  event_source LowCardinality(String),
  scope LowCardinality(String),
  absolute_url String CODEC(ZSTD(1)),
  site_id String CODEC(ZSTD(1)),
  site_url String CODEC(ZSTD(1)),
  item_type LowCardinality(String),
  item_title String CODEC(ZSTD(1)),
  source_relative_url String CODEC(ZSTD(1)),
  source_file_name String CODEC(ZSTD(1)),
  source_file_extension LowCardinality(String),
  destination_relative_url String CODEC(ZSTD(1)),
  destination_file_name String CODEC(ZSTD(1)),
  destination_file_extension LowCardinality(String),
  sharing_type LowCardinality(String),
  target_name String CODEC(ZSTD(1)),
  target_type LowCardinality(String),
  event_data String CODEC(ZSTD(1)),
  file_size Nullable(UInt64) CODEC(ZSTD(1)),
  extra String CODEC(ZSTD(1)),
  INDEX ix_id id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_user_id user_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_client_ip client_ip TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_absolute_url lower(absolute_url) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 4,`;

const COPILOT_EVENTS = `
  event_time DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  id String CODEC(ZSTD(1)),
  operation LowCardinality(String),
  organization_id LowCardinality(String),
  user_id String CODEC(ZSTD(1)),
  user_type LowCardinality(String),
  client_ip Nullable(IPv6) CODEC(ZSTD(1)),
  client_region LowCardinality(String),
  workload LowCardinality(String),
  app_host LowCardinality(String),
  thread_id String CODEC(ZSTD(1)),
  messages Nested(id String, size UInt64, is_prompt Bool, jailbreak Bool),
  contexts Nested(id String, type String),
  resources Nested(id String, name String, type String, site_url String, action String, sensitivity_label_id String),
  plugins Nested(id String, name String),
  models Nested(provider String, name String, version String),
  extra String CODEC(ZSTD(1)),
  INDEX ix_id id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_user_id user_id TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_client_ip client_ip TYPE bloom_filter(0.01) GRANULARITY 4,`;

const LEEF_EVENTS = `
  event_time DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  leef_version LowCardinality(String),
  vendor LowCardinality(String),
  product LowCardinality(String),
  product_version LowCardinality(String),
  event_id LowCardinality(String),
  category LowCardinality(String),
  severity Nullable(UInt8) CODEC(ZSTD(1)),
  src Nullable(IPv6) CODEC(ZSTD(1)),
  dst Nullable(IPv6) CODEC(ZSTD(1)),
  src_port Nullable(UInt16) CODEC(ZSTD(1)),
  dst_port Nullable(UInt16) CODEC(ZSTD(1)),
  protocol LowCardinality(String),
  user_name String CODEC(ZSTD(1)),
  policy LowCardinality(String),
  resource String CODEC(ZSTD(1)),
  url String CODEC(ZSTD(1)),
  domain LowCardinality(String),
  attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  syslog_host LowCardinality(String),
  extra String CODEC(ZSTD(1)),
  INDEX ix_user_name user_name TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_src src TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_dst dst TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX ix_resource lower(resource) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 4,`;

const DEAD_LETTERS = `
  pipeline LowCardinality(String),
  stage LowCardinality(String),
  code LowCardinality(String),
  field String CODEC(ZSTD(1)),
  message String CODEC(ZSTD(1)),
  raw String CODEC(ZSTD(1)),
  raw_encoding LowCardinality(String),
  replayed_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),`;

/**
 * The event tables and the dead letters. Columns: `docs/reference/events.md`. The hour stands first in the sort keys, so that a
 * period is read without the rest, and within it one host or user lies together.
 */
export const activityTables: Migration = {
  version: 1,
  name: 'activity_tables',
  statements: (context) => [
    `CREATE DATABASE IF NOT EXISTS ${context.database}`,
    table(context, 'file_events', FILE_EVENTS, 'event_time', ['host']),
    table(context, 'sharepoint_events', SHAREPOINT_EVENTS, 'event_time', ['user_id']),
    table(context, 'copilot_events', COPILOT_EVENTS, 'event_time', ['user_id']),
    table(context, 'leef_events', LEEF_EVENTS, 'event_time', ['vendor', 'product', 'syslog_host']),
    table(context, 'dead_letters', DEAD_LETTERS, 'received_at', ['code']),
  ],
};

function table(
  context: MigrationContext,
  name: string,
  columns: string,
  time: string,
  keys: readonly string[],
): string {
  return `CREATE TABLE IF NOT EXISTS ${context.database}.${name} (${columns}${STAMPS}
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(${time})
ORDER BY (toStartOfHour(${time}), ${keys.join(', ')}, ${time})
${context.ttl(time)}
${SETTINGS}`;
}
