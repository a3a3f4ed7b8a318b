import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EnrollmentOutcome } from '@activity-gateway/activity';
import {
  createRecordingLogger,
  createRecordingMetrics,
  type RecordingLogger,
} from '@activity-gateway/pipeline/testing';
import { FAKE_REACTOR } from '../../../../test/support/fake-reactor.js';
import { pollUntil } from '../../../../test/support/poll.js';
import { createDataPlane } from './data-plane.js';
import { ReactorLauncher } from './reactor-launcher.js';
import type { DataPlane, DataPlaneOptions } from './types.js';

describe('createDataPlane', () => {
  let dataDir: string;
  let entry: string;
  let plane: DataPlane | undefined;
  let logger: RecordingLogger;
  const clients: Socket[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'data-plane-'));
    entry = join(dataDir, 'reactor.mjs');
    await writeFile(entry, FAKE_REACTOR);
    logger = createRecordingLogger();
  });

  afterEach(async () => {
    await plane?.stop(Date.now() + 1_000);
    plane = undefined;
    clients.splice(0).forEach((client) => client.destroy());
    await rm(dataDir, { recursive: true });
  });

  function make(change: Partial<DataPlaneOptions> = {}): DataPlane {
    let epoch = 0;
    plane = createDataPlane(
      {
        logger,
        metrics: createRecordingMetrics(),
        handlers: {
          enroll: async () => ({ status: 'Enrolled' }),
          agentsSeen: () => undefined,
          knownServerKey: async () => undefined,
          rememberServerKey: async () => undefined,
          nextEpoch: async () => String((epoch += 1)).padStart(4, '0'),
        },
        gatewayId: 'test',
        plugins: [],
        pipelines: [],
        log: { level: 'info', format: 'json' },
        host: '127.0.0.1',
        acceptor: { port: 0, maxConnections: 100, banDurationMs: 60_000, unidentifiedMs: 25_000 },
        reactor: { connection: {}, flow: {} } as never,
        reactors: 1,
        allowlist: [],
        endpoints: {},
        dataDir,
        tls: {},
        ...change,
      },
      { forks: new ReactorLauncher(dataDir, entry) },
    );
    // Long enough ago for bans.
    plane.learnAddresses([{ address: '127.0.0.1', at: Date.now() - 7_200_000 }]);
    return plane;
  }

  async function started(change: Partial<DataPlaneOptions> = {}): Promise<DataPlane> {
    const made = make(change);
    await made.start();
    expect(made.status()).toMatchObject({ state: 'listening', reactors: [{ state: 'ready' }] });
    return made;
  }

  async function dial(): Promise<Socket> {
    const socket = connect(plane!.status().port, '127.0.0.1').on('error', () => undefined);
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  async function ask(socket: Socket, command: string): Promise<string> {
    socket.write(command);
    const closed = once(socket, 'close').then(() => ['closed']);
    const [answer] = (await Promise.race([once(socket, 'data'), closed])) as [Buffer | string];
    return answer.toString();
  }

  it('hands connections to the reactor, with what they sent before', async () => {
    await started();
    const client = await dial();
    const [epoch, pid] = (await ask(client, 'who')).split(' ');
    expect(epoch).toBe('0001');
    expect(Number(pid)).toBe(plane!.status().reactors[0]!.pid);
    expect(plane!.status()).toMatchObject({ connections: 0, unidentifiedConnections: 1 });
    client.write('identify');
    await pollUntil('identified', () => plane!.status().connections === 1);
    await pollUntil('agent counted', () => plane!.connectedAgents().get('a') === 1);
    client.destroy();
    await pollUntil('connection counted as closed', () => plane!.status().connections === 0);
    expect(plane!.connectedAgents().size).toBe(0);
  });

  it('starts a killed reactor again under a new epoch and counts its connections as closed', async () => {
    await started();
    const client = await dial();
    client.write('die');
    await once(client, 'close');
    await pollUntil('no connection left', () => plane!.status().unidentifiedConnections === 0);
    expect(plane!.connectedAgents().size).toBe(0);
    // Waits, paused, until the new process is ready.
    const next = await dial();
    expect((await ask(next, 'who')).split(' ')[0]).toBe('0002');
    expect(plane!.status().reactors[0]).toMatchObject({ state: 'ready', restarts: 1 });
  });

  it('passes snapshots on, to reactors that run and to those to come', async () => {
    await started();
    const client = await dial();
    plane!.updateAllowlist([{ spkiHash: 'a', hostname: 'h' }]);
    await pollUntil(
      'allowlist arrived',
      () => ask(client, 'list'),
      (answer) => answer === '1',
    );
    client.write('die');
    await once(client, 'close');
    // One that comes before the end of the process is noticed goes down with it; agents come back.
    await pollUntil(
      'allowlist in the new process',
      async () => ask(await dial(), 'list'),
      (answer) => answer === '1',
    );
    expect(plane!.status().reactors[0]).toMatchObject({ state: 'ready', restarts: 1 });
  });

  it('answers enrollments, Unavailable when they cannot be decided', async () => {
    let answer = async (): Promise<EnrollmentOutcome> => ({ status: 'Enrolled' });
    const handlers = {
      enroll: () => answer(),
      agentsSeen: () => undefined,
      knownServerKey: async () => undefined,
      rememberServerKey: async () => undefined,
      nextEpoch: async () => '1',
    };
    await started({ handlers });
    const client = await dial();
    expect(await ask(client, 'enroll')).toBe('Enrolled');
    answer = () => Promise.reject(new Error('store is down'));
    expect(await ask(client, 'enroll')).toBe('Unavailable');
  });

  it('bans the address of a violation that a reactor tells of, and closes its other connections', async () => {
    await started();
    const other = await dial();
    (await dial()).write('violate');
    await once(other, 'close');
    await once(await dial(), 'close');
    expect(plane!.status()).toMatchObject({
      rejected: { banned: 1 },
      bans: [{ address: '127.0.0.1', reason: 'test', effect: 'ban' }],
    });
  });

  it('collects the metrics of reactors, and goes without those that do not answer', async () => {
    await started();
    expect(await plane!.collectMetrics()).toEqual([[{ name: 'm' }]]);
    await plane!.stop(Date.now() + 1_000);
    expect(await plane!.collectMetrics()).toEqual([]);
  });

  it('shows why a reactor fails, and keeps trying', async () => {
    make({ gatewayId: 'broken' });
    const starting = plane!.start();
    await pollUntil('restarted', () => (plane!.status().reactors[0]?.restarts ?? 0) >= 1);
    await pollUntil('failed', () => plane!.status().reactors[0]?.reason === 'no such plugin');
    await plane!.stop(Date.now());
    await starting;
    expect(plane!.status().reactors[0]!.state).toBe('stopped');
  });

  it('drains on stop, gives the reports, and lets go of the port', async () => {
    await started();
    const { port, reactors } = plane!.status();
    expect(await plane!.stop(Date.now() + 5_000)).toEqual([{ pipeline: 'p', written: 1, left: 0 }]);
    expect(plane!.status()).toMatchObject({ state: 'stopped', port: 0, reactors: [{ state: 'stopped' }] });
    expect(() => process.kill(reactors[0]!.pid!, 0)).toThrow('ESRCH');
    const refused = connect(port, '127.0.0.1');
    await once(refused, 'error');
    expect(await plane!.stop(Date.now())).toHaveLength(1);
  });

  it('ends a reactor that does not drain by force', async () => {
    await started({ gatewayId: 'stubborn' });
    expect(await plane!.stop(Date.now() + 100)).toEqual([]);
    expect(plane!.status().reactors[0]!.state).toBe('stopped');
  });

  describe('listener', () => {
    it('does not start with a bad certificate, says why, runs the rest, and starts when it is fixed', async () => {
      const tls = { certPath: join(dataDir, 'no.crt'), keyPath: join(dataDir, 'no.key') };
      await make({ tls }).start();
      const { state, reason, port } = plane!.status();
      expect([state, port]).toEqual(['failed', 0]);
      expect(reason).toContain(
        `The server certificate ${tls.certPath} cannot be read: there is no such file.`,
      );
      expect(logger.lines).toContainEqual(
        expect.objectContaining({
          level: 'error',
          message: 'Failed to start NAM Listener',
          fields: expect.objectContaining({ reason, attempt: 1, retryInMs: 500 }),
        }),
      );
      await pollUntil('reactor runs', () => plane!.status().reactors[0]?.state === 'ready');
      const { makeOwnCertificate } = await import('./own-certificate.js');
      await makeOwnCertificate(tls.certPath, tls.keyPath);
      await pollUntil('listening', () => plane!.status().state === 'listening');
      expect(plane!.status().reason).toBeUndefined();
      expect(plane!.status().certificate?.selfSigned).toBe(true);
    });

    it('tries again when the port is taken, and listens when it is free', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      await make({
        acceptor: { port, maxConnections: 10, banDurationMs: 5_000, unidentifiedMs: 25_000 },
      }).start();
      expect(plane!.status()).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('EADDRINUSE'),
      });
      other.close();
      await pollUntil('listening', () => plane!.status().state === 'listening');
      expect(plane!.status().port).toBe(port);
    });

    it('moves to a new port, and keeps the old one when the new one is taken', async () => {
      const acceptor = { port: 0, maxConnections: 100, banDurationMs: 5_000, unidentifiedMs: 25_000 };
      await started({ acceptor });
      const client = await dial();
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      const before = plane!.status().port;
      await expect(plane!.updateAcceptor({ ...acceptor, port, maxConnections: 50 })).rejects.toThrow(
        'EADDRINUSE',
      );
      expect(plane!.status()).toMatchObject({ state: 'listening', port: before, maxConnections: 50 });
      other.close();
      await once(other, 'close');
      await plane!.updateAcceptor({ ...acceptor, port });
      expect(plane!.status()).toMatchObject({ port, maxConnections: 100 });
      expect(await ask(client, 'list')).toBe('0');
      expect(await ask(await dial(), 'list')).toBe('0');
    });
  });
});
