import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clickHouseDefaults } from '../../../../test/support/clickhouse.js';
import { authorizationOf } from './embedded-config.js';
import { createServerHost, type ServerHost } from './server-host.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gateway-host-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

function create(config: object): ServerHost {
  return createServerHost({ config: { ...clickHouseDefaults, ...config }, dataDir });
}

describe('the embedded host', () => {
  it('finds another port when the one of the server before is taken by then', async () => {
    const { signal } = new AbortController();
    const host = create({});
    const first = await host.acquire(signal);
    expect(await host.acquire(signal)).toEqual(first);
    const ended = host.ended();
    await host.release();
    await ended;
    const thief = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(thief, 'listening');
    try {
      const second = await host.acquire(signal);
      expect(second.url).not.toBe(first.url);
      const authorization = authorizationOf(second);
      expect((await fetch(`${second.url}/ping`, { headers: { authorization } })).ok).toBe(true);
      // Who has listened on the old port knows nothing.
      expect(second.password).not.toBe(first.password);
    } finally {
      await host.release();
      thief.close();
    }
  });
});

describe('the external host', () => {
  it.each([
    ['https://clickhouse.example.com:8443', 'https://clickhouse.example.com:8443'],
    ['http://10.0.0.1:8123/', 'http://10.0.0.1:8123'],
    ['https://example.com/clickhouse', 'https://example.com/clickhouse'],
  ])('takes %s as it is', async (text, url) => {
    const host = create({ url: text, username: 'gateway', password: 'p', database: 'd' });
    const endpoint = await host.acquire(new AbortController().signal);
    expect(endpoint).toEqual({ url, username: 'gateway', password: 'p', database: 'd' });
    expect(host.url).toBe(url);
  });

  it('shows no credentials that stand in a URL', async () => {
    const host = create({ url: 'http://user:p%40ss@localhost:8123' });
    expect(host.url).toBe('http://localhost:8123');
    expect(await host.acquire(new AbortController().signal)).toMatchObject({
      username: 'user',
      password: 'p@ss',
    });
  });
});
