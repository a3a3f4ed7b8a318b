import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadGatewayConfig } from '@activity-gateway/pipeline/host';
import { createPluginRegistry } from '../plugins.js';
import { flagSettings, numberSettings } from '../settings/definitions.js';
import { settingsSchema } from '../settings/settings-schema.js';
import { programRoot } from './config-path.js';

const path = join(programRoot(), 'config/gateway.yaml');
const load = (env: NodeJS.ProcessEnv): ReturnType<typeof loadGatewayConfig> =>
  loadGatewayConfig(path, env, createPluginRegistry(), { settingsSchema, cwd: '/srv/gateway' });

describe('config/gateway.yaml', () => {
  it('gives the documented defaults', () => {
    const { config, problems, warnings } = load({});
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(config).toMatchObject({
      dataDir: '/srv/gateway/data',
      http: { host: '127.0.0.1', port: 8080, trustedProxies: [], allowedHosts: [] },
      admin: {},
      listener: { tls: {}, maxConnectionsPerKey: 8, neverBan: [] },
      store: { use: 'embedded' },
      clickhouse: {
        username: 'default',
        password: '',
        database: 'activity',
        httpPort: 0,
        retentionDays: 400,
        deadLetterRetentionDays: 90,
        deadLetterAlert: { rows: 1_000_000, bytes: 1_073_741_824 },
      },
      log: { level: 'info', format: 'auto' },
      settings: {},
      pipelines: [
        {
          name: 'activity',
          deadLetters: 'clickhouse',
          buffer: { maxBytes: 268_435_456, spool: { enabled: true, maxBytes: 10 * 2 ** 30 } },
        },
      ],
    });
    expect(config?.pipelines[0]?.steps.map(({ use }) => use)).toEqual([
      'parsers.smb',
      'parsers.sharepoint',
      'parsers.copilot',
      'parsers.leef',
    ]);
  });

  it('takes the documented variables', () => {
    const { config, problems } = load({
      GATEWAY_DATA_DIR: '/var/lib/gateway',
      GATEWAY_HTTP_HOST: '::1',
      GATEWAY_HTTP_PORT: '0',
      ADMIN_API_KEY: '0123456789',
      SYSLOG_TLS_CERT_PATH: '/tls/cert.pem',
      SYSLOG_TLS_KEY_PATH: '/tls/key.pem',
      ACTIVITYMONITOR_TCP_PORT: '0',
      CLICKHOUSE_URL: 'http://ch:8123',
      CLICKHOUSE_USER: '1',
      CLICKHOUSE_PASSWORD: '2',
      CLICKHOUSE_HTTP_PORT: '8123',
      CLICKHOUSE_READER_USER: 'people',
      CLICKHOUSE_READER_PASSWORD_FILE: '/secrets/people',
      CLICKHOUSE_RETENTION_DAYS: '30',
      GATEWAY_LISTENER_HOST: '127.0.0.1',
      GATEWAY_MAX_CONNECTIONS_PER_KEY: '2',
      GATEWAY_NEVER_BAN: '192.0.2.7, 2001:db8::/32',
      GATEWAY_LOG_LEVEL: 'warn',
      GATEWAY_STORE: 'mongodb',
      MONGODB_URI: 'mongodb://db',
      MONGODB_DATABASE: 'audit',
    });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      store: { use: 'mongodb', uri: 'mongodb://db', database: 'audit' },
      dataDir: '/var/lib/gateway',
      http: { host: '::1', port: 0 },
      admin: { apiKey: '0123456789' },
      listener: {
        host: '127.0.0.1',
        tls: { certPath: '/tls/cert.pem', keyPath: '/tls/key.pem' },
        maxConnectionsPerKey: 2,
        neverBan: ['192.0.2.7', '2001:db8::/32'],
      },
      clickhouse: {
        url: 'http://ch:8123',
        username: '1',
        password: '2',
        httpPort: 8123,
        retentionDays: 30,
        reader: { username: 'people', passwordFile: '/secrets/people' },
      },
      log: { level: 'warn' },
      settings: { activitymonitor_tcp_port: 0 },
    });
    for (const step of config?.pipelines[0]?.steps ?? []) expect(step.with.max_event_age).toBe('30d');
  });

  it.each([
    ['0', 0, '0d'],
    ['18250', 18_250, '18250d'],
    ['18251', 0, '0d'],
    ['36500', 0, '0d'],
    ['99999999', 0, '0d'],
  ])('takes a retention of %s days', (days, retentionDays, age) => {
    const { config, problems, warnings } = load({
      CLICKHOUSE_RETENTION_DAYS: days,
      CLICKHOUSE_DEAD_LETTER_RETENTION_DAYS: days,
    });
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] });
    expect(config?.clickhouse).toMatchObject({ retentionDays, deadLetterRetentionDays: retentionDays });
    for (const step of config?.pipelines[0]?.steps ?? []) expect(step.with['max_event_age']).toBe(age);
  });

  it('takes every setting from its variable, and shows its default', () => {
    const lines = readFileSync(path, 'utf8').matchAll(/^ {2}(\w+): \$\{(\w+):-\} # (\w+)$/gm);
    const shown = [...lines].map(([, name = '', variable, value = '']) => {
      expect(variable).toBe(name.toUpperCase());
      return [name, parse(value) as unknown];
    });
    const defaults = Object.entries({ ...numberSettings, ...flagSettings }).map(([name, each]) => [
      name,
      each.default,
    ]);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(defaults));
  });
});
