import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { clickHouseDefaults } from '../../../../test/support/clickhouse.js';
import { listeningPorts } from '../../../../test/support/processes.js';
import { authorizationOf } from './embedded-config.js';
import { embeddedFailure } from './embedded-failure.js';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.js';
import { readerOf } from './reader-password.js';

/** Linux 5.19 or newer. */
const [major = 0, minor = 0] = release().split('.').map(Number);
const HAS_LANDLOCK = process.platform === 'linux' && (major > 5 || (major === 5 && minor >= 19));

const reader = { username: 'people', password: 'a-long-password&<1>' };
const HEADERS = { 'X-ClickHouse-User': reader.username, 'X-ClickHouse-Key': reader.password };

let home: string;
let server: EmbeddedServer | undefined;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "gateway-reader-'é "));
  await writeFile(join(home, 'admin.key'), 'secret', { mode: 0o600 });
  const options = { directory: join(home, 'clickhouse'), port: 0, database: 'activity', reader };
  if (HAS_LANDLOCK) server = await startEmbeddedServer(options);
  if (server === undefined) return;
  const headers = { authorization: authorizationOf(server.user) };
  await send('/', 'CREATE DATABASE activity', headers);
  await send('/', 'CREATE TABLE activity.t (n UInt64) ENGINE = MergeTree ORDER BY n', headers);
  expect(await send('/', 'INSERT INTO activity.t VALUES (1)', headers)).toEqual([200, '']);
}, 60_000);
afterAll(async () => {
  await server?.stop();
  await rm(home, { recursive: true, force: true });
});

async function send(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = HEADERS,
): Promise<[number, string]> {
  const asked = request(`${server!.url}${path}`, { method: 'POST', headers, agent: false });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part as string;
  return [response.statusCode ?? 0, text];
}

const landlock = HAS_LANDLOCK ? it : it.skip;

describe('the reader of the embedded ClickHouse', () => {
  landlock('reads the database, and asks for a form of the answer', async () => {
    expect(await send('/', 'SELECT count() FROM activity.t')).toEqual([200, '1\n']);
    expect(
      await send('/?default_format=JSONEachRow&max_execution_time=5', 'SELECT n FROM activity.t'),
    ).toEqual([200, '{"n":1}\n']);
    expect((await send('/ping', ''))[0]).toBe(200);
  });

  landlock.each([
    'INSERT INTO activity.t VALUES (2)',
    'CREATE TABLE activity.u (n UInt64) ENGINE = MergeTree ORDER BY n',
    'DROP TABLE activity.t',
    'TRUNCATE TABLE activity.t',
    'ALTER TABLE activity.t DELETE WHERE 1',
    "SELECT * FROM file('/etc/passwd', 'LineAsString', 'l String')",
    "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString', 'l String')",
    "SELECT * FROM remote('127.0.0.1:9000', 'system.one')",
    "SELECT * FROM mysql('127.0.0.1:3306', 'd', 't', 'u', 'p')",
    "SELECT * FROM executable('id', 'LineAsString', 'l String')",
    'SELECT * FROM default.`/etc/passwd`',
    'SELECT * FROM system.users',
    'SELECT * FROM system.processes',
    'SELECT * FROM system.server_settings',
    'SHOW CREATE USER gateway',
    'SYSTEM START LISTEN TCP',
    'SYSTEM STOP LISTEN HTTP',
    'CREATE USER other',
    'SET readonly = 0',
    "SELECT 1 FORMAT Protobuf SETTINGS format_schema = '/etc/passwd:X'",
  ])('may not: %s', async (query) => {
    const [status, text] = await send('/', query);
    expect(status).not.toBe(200);
    expect(text).toMatch(/Code: (497|164|1)\./);
  });

  landlock('reads no file of the gateway by the function file(), which no grant covers', async () => {
    const gateway = String(process.pid);
    const paths = [
      ...[
        join(home, 'admin.key'),
        '/etc/passwd',
        '/etc/shadow',
        `/proc/${gateway}/environ`,
        `/proc/${gateway}/maps`,
      ],
      ...['../config.xml', '../../admin.key', `/proc/self/root/etc/passwd`, process.execPath],
    ];
    for (const path of paths) {
      const [status, text] = await send('/', `SELECT file('${path.replaceAll("'", "\\'")}')`);
      expect([path, status === 200, /Permission denied|No such file/.test(text)]).toEqual([
        path,
        false,
        true,
      ]);
    }
  });

  landlock('is nobody else, whatever the request says', async () => {
    for (const path of ['/?user=default', '/?%75ser=default&password=', '/?user=gateway', '/?readonly=0']) {
      expect([path, (await send(path, 'SELECT 1'))[0] === 200]).toEqual([path, false]);
    }
    const basic = { ...HEADERS, Authorization: `Basic ${Buffer.from('default:').toString('base64')}` };
    expect((await send('/', 'SELECT 1', basic))[0]).not.toBe(200);
    expect(listeningPorts(server!.pid)).toEqual([server!.port]);
  });

  landlock.each([
    ['another password', { ...HEADERS, 'X-ClickHouse-Key': 'a-long-password' }],
    ['no password', { 'X-ClickHouse-User': reader.username }],
    ['a web page', { ...HEADERS, Origin: 'http://evil.example' }],
    ['another host', { ...HEADERS, Host: 'evil.example' }],
    ['the other way to say a password', { Authorization: authorizationOf(reader) }],
  ])('is not answered with %s', async (_, headers) => {
    expect((await send('/?query=SELECT%201', '', headers))[0]).toBe(404);
  });

  it('is refused where the process cannot be confined', () => {
    const context = { directory: '/d', port: 0 };
    const said = 'gateway: not confined: this system has no Landlock';
    expect(embeddedFailure(said, context, 1)).toMatchObject({ code: 'CLICKHOUSE_READER_UNSUPPORTED' });
  });
});

describe('the password of the reader', () => {
  const config = { ...clickHouseDefaults, reader: { username: 'people' } };

  it('is made once, readable for the user of the gateway only', async () => {
    const first = await readerOf(config, home);
    const path = join(home, 'clickhouse-reader.password');
    expect(await readFile(path, 'utf8')).toBe(`${first?.password}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readerOf(config, home)).toEqual(first);
    expect(await readerOf(clickHouseDefaults, home)).toBeUndefined();
  });

  it.each(['short', 'with a blank in it', 'regex:.............', ''])(
    'is refused when it is %j',
    async (text) => {
      const passwordFile = join(home, 'given');
      await writeFile(passwordFile, text);
      await expect(
        readerOf({ ...config, reader: { username: 'people', passwordFile } }, home),
      ).rejects.toMatchObject({
        code: 'CLICKHOUSE_READER_PASSWORD',
      });
    },
  );

  it('is not made in a file that was named', async () => {
    const passwordFile = join(home, 'missing');
    await expect(
      readerOf({ ...config, reader: { username: 'people', passwordFile } }, home),
    ).rejects.toMatchObject({
      code: 'CLICKHOUSE_READER_PASSWORD',
      message: expect.stringContaining('missing'),
    });
  });
});
