import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import type { Batch, Source } from '../../api/index.js';
import { leftoverResources, openResources } from '../open-resources.js';
import { createInstance, startInstance, type InstanceFactory } from './lifecycle-contract.js';

const SOON_MS = 5000;

/** Declares the tests of a source. */
export function sourceContract(factory: InstanceFactory): void {
  it('lets go of open connections when it stops, takes none after that, and emits nothing', async () => {
    const before = openResources();
    const context = factory.context();
    const emitted: Batch[] = [];
    const source = createInstance(factory, context) as Source;
    const { server, offer, clients } = await connectionsFor(context.services.connections);
    await startInstance(source, new AbortController().signal, emitted);
    await offer('before');
    await source.stop?.(Date.now() + SOON_MS);
    const atStop = emitted.length;
    expect(context.services.connections.taken).toBe(false);
    await offer('after');
    await Promise.all(clients.map(closed));
    expect(emitted).toHaveLength(atStop);
    server.close();
    await once(server, 'close');
    expect(await leftoverResources(before)).toEqual([]);
  });
}

/** A loopback server that hands its connections to a feed, and the clients of them. */
async function connectionsFor(
  feed: ReturnType<InstanceFactory['context']>['services']['connections'],
): Promise<{
  server: ReturnType<typeof createServer>;
  offer: (id: string) => Promise<void>;
  clients: Socket[];
}> {
  const clients: Socket[] = [];
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const offer = async (id: string): Promise<void> => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.resume();
    clients.push(client);
    const [socket] = await accepted;
    feed.offer({
      id,
      remoteAddress: '127.0.0.1',
      remotePort: client.localPort ?? 0,
      acceptedAt: Date.now(),
      socket,
    });
  };
  return { server, offer, clients };
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}
