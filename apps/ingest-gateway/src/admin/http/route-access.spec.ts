import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { startControlPlane, type TestControlPlane } from '../../../../../test/support/control-plane.js';
import { watchRoutes } from './allowed-methods.js';

interface Operation {
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, unknown>>;
}

let control: TestControlPlane;
let routes: { method: string; path: string; access: 'open' | 'reader' | 'admin' }[];
let viewer: string;

beforeAll(async () => {
  control = await startControlPlane();
  const document = (await control.rest('GET', '/api/openapi.json')).body as {
    paths: Record<string, Record<string, Operation>>;
  };
  routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security, responses }]) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, 'x'),
      access: security === undefined ? 'open' : '403' in responses ? 'admin' : 'reader',
    })),
  );
  const made = await control.rest('POST', '/api/v1/api-keys', { name: 'v', role: 'viewer' });
  viewer = (made.body as { key: string }).key;
});
afterAll(() => control.dispose());

/** The status of an answer that comes before any of the body; `undefined` when none comes within a moment. */
async function statusBeforeBody(method: string, path: string, key?: string): Promise<number | undefined> {
  const { hostname, port, host } = new URL(control.httpUrl);
  const socket = connect(Number(port), hostname);
  try {
    const authorization = key === undefined ? '' : `authorization: Bearer ${key}\r\n`;
    socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${authorization}content-type: application/json\r\ncontent-length: 9\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(2_000) })) as [Buffer];
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer.toString())?.[1]);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

describe('the access of every route', () => {
  it('is the one that the API document says, and is asked for before a body is read', async () => {
    expect(routes.length).toBeGreaterThan(30);
    expect(new Set(routes.map(({ access }) => access)).size).toBe(3);
    for (const { method, path, access } of routes) {
      const route = `${method} ${path}`;
      if (access === 'open') continue;
      expect([route, await statusBeforeBody(method, path)]).toEqual([route, 401]);
      if (access === 'admin') {
        expect([route, await statusBeforeBody(method, path, viewer)]).toEqual([route, 403]);
      }
    }
  });

  it('lets in whom the document says', async () => {
    for (const { method, path, access } of routes) {
      if (method !== 'GET') continue;
      const headers: Record<string, string> = access === 'open' ? {} : { authorization: `Bearer ${viewer}` };
      const { status } = await fetch(`${control.httpUrl}${path}`, { headers });
      expect([path, [401, 403].includes(status)]).toEqual([path, false]);
    }
  });

  it('has to be declared', async () => {
    @Controller('forgotten')
    class Forgotten {
      @Get()
      read(): string {
        return '';
      }
    }
    @Module({ controllers: [Forgotten] })
    class App {}
    const adapter = new FastifyAdapter();
    watchRoutes(adapter.getInstance());
    const app = await NestFactory.create(App, adapter, { logger: false, abortOnError: false });
    await expect(app.init()).rejects.toThrow('GET /forgotten does not say who may use it');
    await app.close();
  });
});
