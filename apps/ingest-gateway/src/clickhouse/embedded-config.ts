import { join } from 'node:path';
import type { Credentials, EmbeddedUsers } from './embedded-users.js';
import { escapeXml } from './xml.js';

/** Names, in the server's directory, of the files that it is started with. Both hold secrets or what guards them. */
export const CONFIG_FILE = 'config.xml';
export const USERS_FILE = 'users.xml';
/** Name of the directory, always empty, to which ClickHouse keeps whoever may read or write files. */
export const FILES_DIRECTORY = 'user_files';

/**
 * Configuration file of the embedded server: who is answered over HTTP, warnings into a log of bounded size, and caches
 * and pools for a machine that it shares with the gateway. The server is given this file by its path, because it would
 * otherwise read any `config.xml` of its working directory.
 * @param directory where its log goes
 */
export function embeddedConfig(directory: string, users: EmbeddedUsers): string {
  const path = (name: string): string => escapeXml(join(directory, name));
  const files = `${path(FILES_DIRECTORY)}/`;
  return `<clickhouse>
  <logger>
    <log>${path('server.log')}</log>
    <errorlog>${path('server.err.log')}</errorlog>
    <size>10M</size>
    <count>2</count>
    <console>false</console>
  </logger>
  <users_config>${path(USERS_FILE)}</users_config>
  <user_files_path>${files}</user_files_path>
  <user_scripts_path>${files}</user_scripts_path>
  <format_schema_path>${files}</format_schema_path>
  <custom_local_disks_base_directory>${files}</custom_local_disks_base_directory>
  <access_control_improvements>
    <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    <select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant>
    <settings_constraints_replace_previous>true</settings_constraints_replace_previous>
    <table_engines_require_grant>true</table_engines_require_grant>
  </access_control_improvements>
  <http_handlers>
${handlers(users).join('\n')}
  </http_handlers>
  <keep_alive_timeout>10</keep_alive_timeout>
  <max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>67108864</mark_cache_size>
  <index_mark_cache_size>16777216</index_mark_cache_size>
  <primary_index_cache_size>67108864</primary_index_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>2</background_schedule_pool_size>
</clickhouse>
`;
}

/** Options of clickhouse-local for a server. @param port 0 = any free one */
export function embeddedOptions(directory: string, port: number, query: string): string[] {
  return [
    ...['--config-file', join(directory, CONFIG_FILE)],
    // The level in the file does not count: clickhouse-local takes it from here.
    ...['--log-level', 'warning'],
    ...['--path', join(directory, 'data')],
    ...['--listen_host', '127.0.0.1'],
    ...['--http_port', String(port)],
    ...['--tcp_port', '0'],
    ...['--query', query],
  ];
}

/** The header by which a user says who it is, as `curl --user` and `@clickhouse/client` send it. */
export function authorizationOf({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/**
 * A request without a user's password gets 404, before ClickHouse looks at its path, its query or its user: there is no
 * page, no ping and no other user. A browser cannot know the gateway's password, whatever host it believes to talk to,
 * and is not answered as the reader, whose password it may have been told.
 *
 * A reader says who it is by ClickHouse's own headers: beside them ClickHouse refuses every other user, while it takes
 * `?user=default` rather than the user of an `Authorization` header.
 */
function handlers({ gateway, reader }: EmbeddedUsers): string[] {
  const rules = accessRules('gateway', { Authorization: authorizationOf(gateway) });
  if (reader === undefined) return rules;
  const { username, password } = reader;
  const named = { 'X-ClickHouse-User': username, 'X-ClickHouse-Key': password };
  return [...rules, ...accessRules('reader', { ...NO_BROWSER, ...named })];
}

const NO_BROWSER = { Origin: '', Host: String.raw`regex:(127\.0\.0\.1|localhost)(:\d+)?` };

function accessRules(name: string, headers: Readonly<Record<string, string>>): string[] {
  const conditions = Object.entries(headers).map(([key, value]) => `<${key}>${escapeXml(value)}</${key}>`);
  const rule = (kind: string, path: string, handler: string): string =>
    `    <rule_${name}_${kind}><headers>${conditions.join('')}</headers>${path}<handler>${handler}</handler></rule_${name}_${kind}>`;
  return [
    rule('ping', '<url>/ping</url>', '<type>ping</type>'),
    rule('query', '', '<type>dynamic_query_handler</type><query_param_name>query</query_param_name>'),
  ];
}
