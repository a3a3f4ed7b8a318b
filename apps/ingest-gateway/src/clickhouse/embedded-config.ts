import { join } from 'node:path';

/**
 * Configuration file of the embedded server: warnings into a log of bounded size, and caches and pools for a machine that
 * it shares with the gateway. The server is given this file by its path, because it would otherwise read any
 * `config.xml` of its working directory.
 * @param directory where its log goes
 */
export function embeddedConfig(directory: string): string {
  return `<clickhouse>
  <logger>
    <log>${escapeXml(join(directory, 'server.log'))}</log>
    <errorlog>${escapeXml(join(directory, 'server.err.log'))}</errorlog>
    <size>10M</size>
    <count>2</count>
    <console>false</console>
  </logger>
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
    ...['--config-file', join(directory, 'config.xml')],
    // The level in the file does not count: clickhouse-local takes it from here.
    ...['--log-level', 'warning'],
    ...['--path', join(directory, 'data')],
    ...['--listen_host', '127.0.0.1'],
    ...['--http_port', String(port)],
    ...['--tcp_port', '0'],
    ...['--query', query],
  ];
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
