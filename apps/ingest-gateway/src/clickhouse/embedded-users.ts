import { createSecret, hashSecret } from '../secrets.js';
import { quoteIdentifier } from './migrations/index.js';
import { escapeXml } from './xml.js';

/** Name and password of a user of the embedded server. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Who may use an embedded server. */
export interface EmbeddedUsers {
  readonly gateway: Credentials;
  /** For people's own queries. */
  readonly reader?: Credentials | undefined;
}

/** The user of the gateway itself, with a new password. */
export function createGatewayUser(): Credentials {
  return { username: 'gateway', password: createSecret() };
}

/** What the gateway reads about its tables. Rows of other databases are not shown. */
const SYSTEM_TABLES = [
  ...['databases', 'tables', 'columns', 'parts', 'mutations'],
  ...['merge_tree_settings', 'settings', 'server_settings'],
];

/** What migrations, retention and the marks of dead letters change. Nothing here deletes rows or drops a table. */
const ALTER = ['COLUMN', 'INDEX', 'TTL', 'MATERIALIZE TTL', 'UPDATE', 'SETTINGS', 'MODIFY COMMENT'].map(
  (each) => `ALTER ${each}`,
);

/**
 * A reader's queries must not keep the gateway's waiting. Settings are fixed, except those that clients send by
 * themselves and that change only the form or the length of an answer.
 */
const READER_LIMITS = {
  readonly: 1,
  max_execution_time: 300,
  max_concurrent_queries_for_user: 8,
  max_memory_usage_for_user: 2 ** 31,
  max_threads: 2,
};

/** Settings that a reader may change. */
const READER_SETTINGS = [
  ...['max_execution_time', 'max_result_rows', 'max_result_bytes', 'result_overflow_mode', 'limit', 'offset'],
  ...['max_block_size', 'session_timezone', 'date_time_output_format', 'log_comment', 'join_use_nulls'],
  ...['output_format_json_quote_64bit_integers', 'output_format_json_quote_denormals', 'extremes'],
  ...[
    'enable_http_compression',
    'http_zlib_compression_level',
    'cancel_http_readonly_queries_on_client_close',
  ],
  ...['send_progress_in_http_headers', 'http_headers_progress_interval_ms'],
];

/**
 * Users file of the embedded server. `default` is the user that clickhouse-local starts the server as; it has no password
 * and cannot have one, so it may do nothing but that.
 * @param database of the activity tables
 */
export function embeddedUsers(database: string, { gateway, reader }: EmbeddedUsers): string {
  const own = `${quoteIdentifier(database)}.*`;
  const gatewayGrants = [
    `GRANT CREATE DATABASE, CREATE TABLE, SELECT, INSERT, ${ALTER.join(', ')} ON ${own}`,
    // A changed retention stops the deletes by the former one first.
    `GRANT SYSTEM TTL MERGES ON ${own}`,
    ...SYSTEM_TABLES.map((name) => `GRANT SELECT ON system.${name}`),
    'GRANT TABLE ENGINE ON MergeTree',
  ];
  const limits = Object.entries(READER_LIMITS).map(([name, value]) => `<${name}>${value}</${name}>`);
  const free = READER_SETTINGS.map((name) => `<${name}><changeable_in_readonly/></${name}>`);
  const profile = `<reader>${limits.join('')}<constraints>${free.join('')}</constraints></reader>`;
  return `<clickhouse>
  <profiles><default/>${reader === undefined ? '' : profile}</profiles>
  <quotas><default/></quotas>
  <users>
    ${user('default', '<no_password/>', ['GRANT SYSTEM LISTEN ON *.*'])}
    ${user(gateway.username, hashed(gateway), gatewayGrants)}
    ${reader === undefined ? '' : user(reader.username, hashed(reader), [`GRANT SELECT ON ${own}`], 'reader')}
  </users>
</clickhouse>
`;
}

function hashed({ password }: Credentials): string {
  return `<password_sha256_hex>${hashSecret(password)}</password_sha256_hex>`;
}

function user(name: string, password: string, grants: readonly string[], profile = 'default'): string {
  const queries = grants.map((grant) => `<query>${escapeXml(grant)}</query>`).join('');
  const from = '<networks><ip>127.0.0.1</ip></networks>';
  return `<${name}>${password}<profile>${profile}</profile><quota>default</quota>${from}<grants>${queries}</grants></${name}>`;
}
