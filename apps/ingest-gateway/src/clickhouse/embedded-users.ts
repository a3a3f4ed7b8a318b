import { createSecret, hashSecret } from '../secrets.js';
import { quoteIdentifier } from './migrations/index.js';
import { escapeXml } from './xml.js';

/** Name and password of a user of the embedded server. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
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
const ALTER = ['COLUMN', 'INDEX', 'TTL', 'MATERIALIZE TTL', 'UPDATE', 'SETTINGS'].map(
  (each) => `ALTER ${each}`,
);

/**
 * Users file of the embedded server. `default` is the user that clickhouse-local starts the server as; it has no password
 * and cannot have one, so it may do nothing but that.
 * @param database of the activity tables
 */
export function embeddedUsers(database: string, gateway: Credentials): string {
  const own = `${quoteIdentifier(database)}.*`;
  const gatewayGrants = [
    `GRANT CREATE DATABASE, CREATE TABLE, SELECT, INSERT, ${ALTER.join(', ')} ON ${own}`,
    ...SYSTEM_TABLES.map((name) => `GRANT SELECT ON system.${name}`),
    'GRANT TABLE ENGINE ON MergeTree',
  ];
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    ${user('default', '<no_password/>', ['GRANT SYSTEM LISTEN ON *.*'])}
    ${user(gateway.username, hashed(gateway), gatewayGrants)}
  </users>
</clickhouse>
`;
}

function hashed({ password }: Credentials): string {
  return `<password_sha256_hex>${hashSecret(password)}</password_sha256_hex>`;
}

function user(name: string, password: string, grants: readonly string[]): string {
  const queries = grants.map((grant) => `<query>${escapeXml(grant)}</query>`).join('');
  const from = '<networks><ip>127.0.0.1</ip></networks>';
  return `<${name}>${password}<profile>default</profile><quota>default</quota>${from}<grants>${queries}</grants></${name}>`;
}
