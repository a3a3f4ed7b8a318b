import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AcceptedConnection } from '@activity-gateway/pipeline/host';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import { Acceptor } from './acceptor.js';

describe('Acceptor', () => {
  let taken: AcceptedConnection[];
  let clients: Socket[];
  let acceptor: Acceptor;
  let full: boolean;

  beforeEach(async () => {
    taken = [];
    clients = [];
    full = false;
    let ids = 0;
    acceptor = new Acceptor({
      logger: createRecordingLogger(),
      admission: {
        admit: (address) =>
          full
            ? { admitted: false, reason: 'limit', address }
            : { admitted: true, connectionId: `c${(ids += 1)}`, address },
      },
      host: '127.0.0.1',
      port: 0,
      onConnection: (connection) => taken.push(connection),
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

  it('hands over paused, unread sockets with the id and address of the admission', async () => {
    const client = await dial();
    client.write('hello');
    await accepted(1);
    expect(taken[0]).toMatchObject({
      id: 'c1',
      remoteAddress: '127.0.0.1',
      remotePort: client.localPort,
    });
    expect(taken[0]!.socket.isPaused()).toBe(true);
    expect(taken[0]!.socket.bytesRead).toBe(0);
  });

  it('closes what the admission refuses', async () => {
    full = true;
    await once(await dial(), 'close');
    full = false;
    await dial();
    await accepted(1);
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
});
