import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { EMBEDDED_CHILD_PROGRAM, embeddedServerQuery, PORT_FILE } from './embedded-child.js';
import { authorizationOf, embeddedConfig, embeddedOptions } from './embedded-config.js';
import { findEmbeddedLibrary } from './embedded-library.js';
import { createGatewayUser, embeddedUsers } from './embedded-users.js';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.js';

let directory: string;
let servers: EmbeddedServer[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gateway embedded & <é> '-"));
  servers = [];
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(directory, { recursive: true, force: true });
});

async function start(port = 0, signal?: AbortSignal): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ directory, port, database: 'activity' }, signal);
  servers.push(server);
  return server;
}

async function ask(server: EmbeddedServer, query: string): Promise<string> {
  const response = await fetch(`${server.url}/?query=${encodeURIComponent(query)}`, {
    method: 'POST',
    headers: { authorization: authorizationOf(server.user) },
  });
  const text = (await response.text()).trim();
  if (!response.ok) throw new Error(text);
  return text;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('It did not happen in time.');
    await sleep(20);
  }
}

describe('the embedded server', () => {
  it('listens on a free port, on the loopback interface, and keeps quiet', async () => {
    const server = await start();
    expect(await ask(server, 'SELECT 1')).toBe('1');
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(await readFile(join(directory, 'server.log'), 'utf8')).not.toContain('<Trace>');
  });

  it('keeps what it acknowledged when it is killed, and remembers tokens', async () => {
    const first = await start();
    await ask(first, 'CREATE DATABASE activity');
    await ask(
      first,
      'CREATE TABLE activity.t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 10',
    );
    const insert =
      "INSERT INTO activity.t SETTINGS async_insert = 0, insert_deduplication_token = 'a' SELECT number FROM numbers(1000)";
    await ask(first, insert);
    process.kill(first.pid, 'SIGKILL');
    expect((await first.exited).message).toContain('SIGKILL');
    const second = await start(first.port);
    expect(second.port).toBe(first.port);
    await ask(second, insert);
    expect(await ask(second, 'SELECT count() FROM activity.t')).toBe('1000');
  });

  it('refuses a directory that another server has', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({ code: 'CLICKHOUSE_DIRECTORY_IN_USE' });
  });

  it('refuses a port that is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    try {
      const { port } = taken.address() as { port: number };
      await expect(start(port)).rejects.toMatchObject({
        code: 'CLICKHOUSE_PORT_IN_USE',
        message: expect.stringContaining(String(port)),
      });
    } finally {
      taken.close();
    }
  });

  it('gives up a start when asked to, and leaves no process behind', async () => {
    await expect(start(0, AbortSignal.abort())).rejects.toMatchObject({ code: 'CLICKHOUSE_STOPPED' });
    // The directory is free again.
    expect(await ask(await start(), 'SELECT 1')).toBe('1');
  });

  it('stops in order, soon, and twice', async () => {
    const server = await start();
    const begun = Date.now();
    await Promise.all([server.stop(), server.stop()]);
    expect(Date.now() - begun).toBeLessThan(4_000);
    expect(alive(server.pid)).toBe(false);
  });

  it('ends when the process that started it is killed', async () => {
    const { ffi, library } = findEmbeddedLibrary();
    await mkdir(join(directory, 'data'));
    const user = createGatewayUser();
    await writeFile(join(directory, 'config.xml'), embeddedConfig(directory, { gateway: user }));
    await writeFile(join(directory, 'users.xml'), embeddedUsers('activity', { gateway: user }));
    const options = embeddedOptions(directory, 0, embeddedServerQuery());
    const command = JSON.stringify(['-e', EMBEDDED_CHILD_PROGRAM, ffi, library, 'null', ...options]);
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `const child = require('child_process').spawn(process.execPath, ${command}, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
         console.log(child.pid); setInterval(() => {}, 1000);`,
      ],
      { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    await until(() =>
      readFile(join(directory, PORT_FILE)).then(
        () => true,
        () => false,
      ),
    );
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !alive(pid));
  });
});
