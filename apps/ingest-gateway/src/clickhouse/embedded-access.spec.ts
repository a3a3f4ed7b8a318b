import { spawnSync } from 'node:child_process';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listeningPorts } from '../../../../test/support/processes.js';
import { authorizationOf } from './embedded-config.js';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.js';

const NOBODY = 65_534;

let directory: string;
let server: EmbeddedServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gateway-access-'));
  server = await startEmbeddedServer({
    directory: join(directory, 'clickhouse'),
    port: 0,
    database: 'activity',
  });
  await ask('CREATE DATABASE activity');
  await ask('CREATE TABLE activity.t (n UInt64) ENGINE = MergeTree ORDER BY n');
  await ask('INSERT INTO activity.t VALUES (1)');
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function send({
  method = 'POST',
  path = '/',
  headers = {},
  body = '',
}: Question): Promise<[number, string]> {
  const asked = request(`${server.url}${path}`, { method, headers, agent: false });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part as string;
  return [response.statusCode ?? 0, text];
}

async function ask(query: string, path = '/'): Promise<string> {
  const authorization = authorizationOf(server.user);
  const [status, text] = await send({ path, headers: { authorization }, body: query });
  return status === 200 ? text.trim() : `refused: ${text}`;
}

describe('the embedded ClickHouse, for who does not know the password', () => {
  const select = '/?query=SELECT%201';
  const basic = (text: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });

  it.each<[string, Question]>([
    ['no user', { path: select }],
    ['a query in the body', { body: 'SELECT 1' }],
    ['GET', { method: 'GET', path: select }],
    ['PUT', { method: 'PUT', path: select }],
    ['the user default', { path: select, headers: basic('default:') }],
    ['the user of the gateway without a password', { path: select, headers: basic('gateway:') }],
    ['another password', { path: select, headers: basic(`gateway:${'x'.repeat(43)}`) }],
    [
      'headers of ClickHouse',
      { path: select, headers: { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': '' } },
    ],
    ['parameters', { path: `${select}&user=default&password=` }],
    [
      'a web page',
      { headers: { Origin: 'http://evil.example', 'Content-Type': 'text/plain' }, body: 'SELECT 1' },
    ],
    ['another host', { path: select, headers: { Host: 'evil.example' } }],
    ...[
      '/ping',
      '/',
      '/play',
      '/dashboard',
      '/binary',
      '/merges',
      '/jemalloc',
      '/replicas_status',
      '/metrics',
    ].map((path): [string, Question] => [path, { method: 'GET', path }]),
  ])('answers nothing: %s', async (_, question) => {
    const [status, text] = await send(question);
    expect(status).toBe(question.method === 'PUT' ? 501 : 404);
    expect(text).not.toMatch(/^1$/m);
  });

  it('lets no page read its answers', async () => {
    const [status] = await send({ method: 'OPTIONS', headers: { Origin: 'http://evil.example' } });
    expect(status).toBeGreaterThanOrEqual(400);
  });

  (process.platform === 'linux' ? it : it.skip)('listens on one port (needs /proc)', () => {
    expect(listeningPorts(server.pid)).toEqual([server.port]);
  });
});

describe('the user of the gateway', () => {
  it('reads and writes its own database', async () => {
    expect(await ask('SELECT count() FROM activity.t')).toBe('1');
    expect(await ask("SELECT count() FROM system.tables WHERE database = 'activity'")).toBe('1');
  });

  it.each([
    "SELECT * FROM file('/etc/passwd', 'LineAsString', 'l String')",
    "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString', 'l String')",
    "SELECT * FROM url('file:///etc/passwd', 'LineAsString', 'l String')",
    "SELECT * FROM s3('http://127.0.0.1:9/bucket/key', 'LineAsString', 'l String')",
    "SELECT * FROM remote('127.0.0.1:9000', 'system.one')",
    "SELECT * FROM mysql('127.0.0.1:3306', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:5432', 'd', 't', 'u', 'p')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM executable('id', 'LineAsString', 'l String')",
    "SELECT * FROM filesystem('/etc')",
    'SELECT * FROM default.`/etc/passwd`',
    "INSERT INTO FUNCTION file('/tmp/out.csv', 'CSV', 'a Int8') VALUES (1)",
    "INSERT INTO FUNCTION url('http://127.0.0.1:9/', 'CSV', 'a Int8') VALUES (1)",
    "SELECT 1 INTO OUTFILE '/tmp/out.csv'",
    "CREATE TABLE activity.f (a String) ENGINE = File(CSV, '/etc/passwd')",
    "CREATE TABLE activity.f (a String) ENGINE = URL('http://127.0.0.1:9/', CSV)",
    'CREATE TEMPORARY TABLE f (a String) ENGINE = File(CSV)',
    'CREATE DATABASE other',
    "CREATE DICTIONARY activity.d (a UInt64, b String) PRIMARY KEY a SOURCE(FILE(path '/etc/passwd' format 'CSV')) LAYOUT(FLAT()) LIFETIME(1)",
    "BACKUP DATABASE activity TO File('/tmp/backup')",
    'DROP TABLE activity.t',
    'DROP DATABASE activity',
    'TRUNCATE TABLE activity.t',
    'DELETE FROM activity.t WHERE 1',
    'ALTER TABLE activity.t DELETE WHERE 1',
    'ALTER TABLE activity.t FREEZE',
    'SHOW CREATE USER gateway',
    'SELECT * FROM system.users',
    'SELECT * FROM system.processes',
    'CREATE USER other',
    "ALTER USER default IDENTIFIED BY 'x'",
    'DROP USER default',
    'GRANT ALL ON *.* TO gateway',
    'CREATE FUNCTION f AS (x) -> x',
    'SYSTEM SHUTDOWN',
    'SYSTEM START LISTEN TCP',
    'SYSTEM STOP LISTEN HTTP',
  ])('may not: %s', async (query) => {
    expect(await ask(query)).toMatch(/^refused: Code: (497|344|358|1)\./);
  });
});

describe('the user default', () => {
  it('may do nothing, even for who knows the password', async () => {
    expect(await ask('SELECT currentUser()', '/?user=default')).toBe('default');
    for (const query of [
      'SELECT * FROM activity.t',
      "SELECT * FROM file('/etc/passwd', 'LineAsString', 'l String')",
      'CREATE USER other',
    ]) {
      expect(await ask(query, '/?user=default')).toMatch(/^refused: Code: (497|516)\./);
    }
  });
});

describe('the files of the embedded ClickHouse', () => {
  it('are open to its own user only', async () => {
    const names = await readdir(directory, { recursive: true });
    expect(names).toContain(join('clickhouse', 'config.xml'));
    const open = await Promise.all(
      names.map(async (name) => {
        const entry = await lstat(join(directory, name));
        return entry.isSymbolicLink() || (entry.mode & 0o77) === 0 ? [] : [name];
      }),
    );
    expect(open.flat()).toEqual([]);
  });

  (process.getuid?.() === 0 ? it : it.skip)(
    'give nothing to another user of the machine (needs root)',
    () => {
      for (const name of ['', 'config.xml', 'users.xml', 'data']) {
        const path = join(directory, 'clickhouse', name);
        const found = spawnSync('cat', [path], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' });
        expect(found.stderr).toContain('Permission denied');
      }
    },
  );
});
