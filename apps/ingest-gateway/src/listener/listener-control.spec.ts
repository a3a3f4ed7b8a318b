import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Backoff } from '@activity-gateway/pipeline/helpers';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import { Acceptor } from './acceptor.js';
import { ListenerControl } from './listener-control.js';
import type { ServerIdentity } from './server-identity.js';

describe('ListenerControl', () => {
  let logger: RecordingLogger;
  let acceptor: Acceptor;
  let control: ListenerControl;
  let taken: Server;
  let port: number;
  let fault: Error | undefined;

  beforeEach(async () => {
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    port = (taken.address() as AddressInfo).port;
    logger = createRecordingLogger();
    fault = undefined;
    acceptor = new Acceptor({
      logger,
      admission: { admit: (address) => ({ admitted: false, reason: 'limit', address }) },
      host: '127.0.0.1',
      port,
      onConnection: ({ socket }) => socket.destroy(),
    });
    const identity = {
      certificate: { spkiHash: 'a', notAfter: 1, selfSigned: true },
      start: async () => undefined,
      stop: () => undefined,
      load: async () => {
        if (fault !== undefined) throw fault;
      },
    } as unknown as ServerIdentity;
    control = new ListenerControl({
      logger,
      acceptor,
      identity,
      untilServed: async () => undefined,
      backoff: new Backoff({ initialMs: 1, maxMs: 4, jitter: 0 }),
    });
  });
  afterEach(() => {
    control.stop();
    taken.close();
  });

  const failures = (): unknown[] =>
    logger.lines
      .filter(({ message }) => message === 'Failed to start NAM Listener')
      .map(({ fields }) => (fields as { attempt: number }).attempt);
  const givenUp = (): Promise<unknown> => pollUntil('the last attempt', failures, (list) => list.length >= 6);

  it('tries six times, tells each, and waits then', async () => {
    await control.start();
    await givenUp();
    expect(failures()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(control.status()).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('another process uses it (EADDRINUSE)'),
    });
    const waits = logger.lines.map(({ fields }) => (fields as { retryInMs?: number }).retryInMs);
    expect(waits).toEqual([1, 2, 4, 4, 4, 30_000]);
  });

  it('tries again when what it needs has changed, after it had given up', async () => {
    taken.close();
    fault = new Error('no certificate');
    await control.start();
    await givenUp();
    control.retryNow();
    await pollUntil('a new series', failures, (list) => list.length === 12);
    expect(failures().slice(6)).toEqual([1, 2, 3, 4, 5, 6]);
    fault = undefined;
    control.retryNow();
    await pollUntil('listening', () => control.status().state === 'listening');
    expect(control.status().reason).toBeUndefined();
    expect(acceptor.port).toBe(port);
  });

  it('listens on another port that the settings name, at once', async () => {
    await control.start();
    await givenUp();
    await control.update(0);
    expect(control.status().state).toBe('listening');
    expect(acceptor.port).not.toBe(0);
  });

  it('tries again when any of its settings changes', async () => {
    await control.start();
    await givenUp();
    taken.close();
    await control.update(port);
    await pollUntil('listening', () => control.status().state === 'listening');
  });

  it('can be stopped during its attempts, and started again', async () => {
    await control.start();
    control.stop();
    const before = failures().length;
    taken.close();
    await control.start();
    expect(control.status().state).toBe('listening');
    control.stop();
    expect(acceptor.port).toBe(0);
    expect(failures()).toHaveLength(before);
  });
});
