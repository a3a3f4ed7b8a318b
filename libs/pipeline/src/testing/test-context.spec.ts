import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { deadLetters } from '../api/index.js';
import {
  createTestContext,
  leftoverResources,
  newResources,
  openResources,
  validateOptions,
} from './index.js';

describe('createTestContext', () => {
  it('keeps logs, metrics and reports', () => {
    const context = createTestContext();
    const { logger, metrics, reports } = context;
    logger.child({ a: 1 }).child({ b: 2 }).warn({ c: 3 }, 'text');
    expect(logger.lines).toEqual([{ level: 'warn', fields: { a: 1, b: 2, c: 3 }, message: 'text' }]);
    metrics.counter('events_total', 'help', ['type']).add(2, { type: 'a', by: 'b' });
    metrics.counter('events_total', 'help', ['type']).add(3, { by: 'b', type: 'a' });
    metrics.gauge('open', 'help').set(7);
    expect(metrics.value('events_total', { type: 'a', by: 'b' })).toBe(5);
    expect(metrics.value('open')).toBe(7);
    expect(metrics.value('events_total')).toBe(0);
    expect([...metrics.names]).toEqual(['events_total', 'open']);
    context.report('failed', 'because');
    expect(reports).toEqual([{ state: 'failed', reason: 'because' }]);
  });

  it('has the real time or a chosen one', () => {
    expect(Math.abs(createTestContext().now() - Date.now())).toBeLessThan(1000);
    expect(createTestContext({ now: 5 }).now()).toBe(5);
    expect(createTestContext({ now: () => 6 }).now()).toBe(6);
    expect(createTestContext().eventTypes).toEqual([deadLetters]);
  });

  it('has services that a test sets and asks, and those of a domain', () => {
    const { services } = createTestContext({ services: { weather: 'fine' } });
    expect(services.weather).toBe('fine');
    services.connections.violated('c1', 'reason');
    expect(services.connections.violations).toEqual([{ connectionId: 'c1', reason: 'reason' }]);
  });

  it('hands connections to their taker, and closes those that nobody takes', () => {
    const { connections } = createTestContext().services;
    const connection = {
      id: '1',
      remoteAddress: '10.0.0.1',
      remotePort: 1,
      acceptedAt: 0,
      socket: new Socket(),
    };
    const taken: string[] = [];
    const end = connections.take({
      accept: ({ id }) => taken.push(id),
      closeAll: () => undefined,
      end: () => undefined,
      silentMs: () => undefined,
    });
    connections.offer(connection);
    end();
    expect(connections.taken).toBe(false);
    expect(connection.socket.destroyed).toBe(false);
    connections.offer(connection);
    expect(connection.socket.destroyed).toBe(true);
    expect(taken).toEqual(['1']);
  });
});

describe('validateOptions', () => {
  const definition = {
    id: 'sinks.x',
    configSchema: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: { name: { type: 'string' }, size: { type: 'integer', default: 5, minimum: 1 } },
    },
  };

  it('applies defaults to a copy', () => {
    const options = { name: 'a' };
    expect(validateOptions(definition, options)).toEqual({ name: 'a', size: 5 });
    expect(options).toEqual({ name: 'a' });
  });

  it('names every problem', () => {
    const attempt = (): unknown => validateOptions(definition, { size: 0, other: 1 });
    expect(attempt).toThrow(/sinks\.x[^]*"name"[^]*"other"|"other"[^]*"name"/);
    expect(attempt).toThrow('/size must be >= 1');
  });
});

describe('openResources', () => {
  it('sees what is opened and what is closed', async () => {
    const before = openResources();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const timer = setTimeout(() => undefined, 60_000);
    expect(newResources(before).join()).toMatch(/TCPServerWrap[^]*Timeout|Timeout[^]*TCPServerWrap/);
    clearTimeout(timer);
    expect(await leftoverResources(before, 50)).not.toEqual([]);
    server.close();
    expect(await leftoverResources(before)).toEqual([]);
  });
});
