import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AcceptedConnection } from '@app/pipeline/api';
import { createRecordingLogger, createRecordingMetrics } from '@app/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import { Acceptor } from './acceptor.js';
import { Bans } from './bans.js';
import { ConnectionRate } from './connection-rate.js';
import { PendingConnections } from './pending-connections.js';

describe('Acceptor', () => {
  const metrics = createRecordingMetrics();
  let bans: Bans;
  let taken: AcceptedConnection[];
  let clients: Socket[];
  let acceptor: Acceptor;
  let cut: string[];
  let now: number;

  beforeEach(async () => {
    bans = new Bans();
    taken = [];
    clients = [];
    cut = [];
    now = 0;
    acceptor = new Acceptor({
      logger: createRecordingLogger(),
      metrics,
      bans,
      host: '127.0.0.1',
      settings: { port: 0, maxConnections: 2, banDurationMs: 60_000 },
      onConnection: (connection) => taken.push(connection),
      cut: (id) => cut.push(id),
      pending: new PendingConnections(() => now),
      rate: new ConnectionRate({ perSecond: 1, burst: 5, addresses: 10 }, () => now),
    });
    await acceptor.listen(0);
  });

  afterEach(() => {
    acceptor.close();
    clients.forEach((client) => client.destroy());
    taken.forEach((connection) => connection.socket.destroy());
  });

  async function dial(port = acceptor.port): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  const accepted = (count: number): Promise<unknown> =>
    pollUntil(`${count} accepted`, () => taken.length === count);

  it('hands over paused, unread sockets with an id of their own', async () => {
    const client = await dial();
    client.write('hello');
    await dial();
    await accepted(2);
    expect(new Set(taken.map((each) => each.id)).size).toBe(2);
    expect(taken[0]).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: client.localPort });
    expect(taken[0]!.socket.isPaused()).toBe(true);
    expect(taken[0]!.socket.bytesRead).toBe(0);
    expect(acceptor.connections).toBe(2);
  });

  it('closes banned addresses first, then those beyond the limit, and counts both', async () => {
    await dial();
    await dial();
    await accepted(2);
    const beyond = await dial();
    await once(beyond, 'close');
    acceptor.ban('127.0.0.1', 'protocol_violation');
    const banned = await dial();
    await once(banned, 'close');
    expect(acceptor.rejections).toEqual({ banned: 1, limit: 1, rate: 0 });
    expect(taken).toHaveLength(2);
    expect(metrics.value('gateway_connections_rejected_total', { reason: 'limit' })).toBe(1);
  });

  it('has room again when a connection is released or the limit is raised', async () => {
    await dial();
    await dial();
    await accepted(2);
    acceptor.released(taken[0]!.id);
    acceptor.released(taken[0]!.id);
    await dial();
    await accepted(3);
    acceptor.setLimits({ maxConnections: 3, banDurationMs: 5_000 });
    await dial();
    await accepted(4);
    expect(acceptor.rejections.limit).toBe(0);
  });

  it('lets new bans last as long as the settings say now', () => {
    acceptor.setLimits({ maxConnections: 2, banDurationMs: 5_000 });
    acceptor.ban('10.0.0.1', 'x');
    expect(bans.list()[0]!.until - Date.now()).toBeGreaterThan(4_000);
    expect(bans.list()[0]!.until - Date.now()).toBeLessThan(5_001);
  });

  it('binds a new port before it lets go of the old one, and keeps open connections', async () => {
    const before = acceptor.port;
    const client = await dial();
    await accepted(1);
    await acceptor.listen(0);
    expect(acceptor.port).not.toBe(before);
    await dial();
    await accepted(2);
    const refused = connect(before, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(client.destroyed).toBe(false);
  });

  it('keeps the old port when the new one is taken, and says why', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const before = acceptor.port;
    await expect(acceptor.listen(port)).rejects.toMatchObject({
      code: 'LISTENER_BIND_FAILED',
      message: `Cannot listen on 127.0.0.1:${port}: another process uses it (EADDRINUSE).`,
    });
    expect(acceptor.port).toBe(before);
    await dial(before);
    await accepted(1);
    other.close();
  });

  it('lets the oldest connection of an unknown peer give way at the limit, when it has had its time', async () => {
    await dial();
    await dial();
    await accepted(2);
    await once(await dial(), 'close');
    expect(acceptor.rejections.limit).toBe(1);
    now = 3_000;
    await dial();
    await accepted(3);
    expect(cut).toEqual([taken[0]!.id]);
    expect(acceptor.connections).toBe(2);
    // What is told of it later changes nothing any more.
    acceptor.released(taken[0]!.id);
    expect(acceptor.connections).toBe(2);
  });

  it('lets no connection of an agent give way', async () => {
    await dial();
    await dial();
    await accepted(2);
    taken.forEach(({ id }) => acceptor.identified(id));
    now = 60_000;
    await once(await dial(), 'close');
    expect([cut, acceptor.rejections.limit]).toEqual([[], 1]);
  });

  it('turns away an address that opens too many in a short time', async () => {
    for (let n = 0; n < 5; n += 1) {
      (await dial()).destroy();
      await accepted(n + 1);
      acceptor.released(taken[n]!.id);
    }
    await once(await dial(), 'close');
    expect(acceptor.rejections).toEqual({ banned: 0, rate: 1, limit: 0 });
    now = 1_000;
    await dial();
    await accepted(6);
  });
});
