import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createRecordingLogger,
  createRecordingMetrics,
  type RecordingLogger,
} from '@activity-gateway/pipeline/testing';
import { FAKE_REACTOR } from '../../../../test/support/fake-reactor.js';
import { pollUntil } from '../../../../test/support/poll.js';
import { createDataPlane, type ProcessOptions } from './data-plane.js';
import { ReactorLauncher } from './reactor-launcher.js';
import type { DataPlane, ListenerStatus } from './types.js';

type Reactor = ListenerStatus['reactors'][number];

describe('the reactors of a data plane', () => {
  let dataDir: string;
  let entry: string;
  let plane: DataPlane;
  let logger: RecordingLogger;
  const clients: Socket[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'reactors-'));
    entry = join(dataDir, 'reactor.mjs');
    await writeFile(entry, FAKE_REACTOR);
    logger = createRecordingLogger();
  });

  afterEach(async () => {
    await plane.stop(Date.now() + 1_000);
    clients.splice(0).forEach((client) => client.destroy());
    await rm(dataDir, { recursive: true });
  });

  async function start(
    reactors: number,
    gatewayId = 'test',
    { known = true, ...options }: ProcessOptions & { readonly known?: boolean } = {},
  ): Promise<void> {
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
          nextEpoch: async () => String((epoch += 1)),
        },
        gatewayId,
        plugins: [],
        pipelines: [],
        log: { level: 'info', format: 'json' },
        host: '127.0.0.1',
        acceptor: { port: 0, maxConnections: 100, banDurationMs: 60_000, unidentifiedMs: 25_000 },
        reactor: { connection: {}, flow: { bufferMaxEvents: 1_000, sinkWriters: 4 } } as never,
        reactors,
        allowlist: [],
        endpoints: {},
        dataDir,
        tls: {},
        maxConnectionsPerKey: 2,
      },
      { forks: new ReactorLauncher(dataDir, entry), ...options },
    );
    if (known) plane.learnAddresses([{ address: '127.0.0.1', at: Date.now() }]);
    await plane.start();
    await ready(reactors);
  }

  const reactors = (): readonly Reactor[] => plane.status().reactors;
  const ready = (count: number): Promise<unknown> =>
    pollUntil(
      `${count} reactors and no other`,
      () => reactors().map(({ index, state }) => `${index} ${state}`),
      (states) => states.join() === Array.from({ length: count }, (_, index) => `${index} ready`).join(),
    );

  async function dial(): Promise<Socket> {
    const socket = connect(plane.status().port, '127.0.0.1').on('error', () => undefined);
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

  /** Opens as many connections and tells which reactor has each. */
  async function places(count: number): Promise<string[]> {
    const sockets = await Promise.all(Array.from({ length: count }, () => dial()));
    return (await Promise.all(sockets.map((socket) => ask(socket, 'index')))).sort();
  }

  it('shares connections out evenly, and each limit over all of them', async () => {
    await start(3);
    expect(await places(6)).toEqual(['0', '0', '1', '1', '2', '2']);
    expect(plane.connectedAgents().get('a')).toBe(6);
    const shares = await Promise.all(clients.map((client) => ask(client, 'share')));
    expect(new Set(shares)).toEqual(new Set(['333 4 0.333', '334 4 0.334']));
    plane.updateReactorSettings({
      connection: {},
      flow: { bufferMaxEvents: 3_000, sinkWriters: 3 },
    } as never);
    await pollUntil(
      'new shares',
      () => ask(clients[0]!, 'share'),
      (share) => share === `1000 3 ${1 / 3}`,
    );
  });

  /** Opens a connection and has its reactor tell that its peer holds the one key. */
  async function identified(silentMs = 0): Promise<Socket> {
    const socket = await dial();
    await ask(socket, 'index');
    // Commands wait for an answer: two that are sent at once may arrive as one.
    await ask(socket, `silent for ${silentMs}`);
    socket.write('identify');
    return socket;
  }
  const said = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);
  const connections = (count: number): Promise<unknown> =>
    pollUntil(`${count} identified`, () => plane.status().connections === count);

  it('keep a key to its limit over all of them: the connection that was silent longest gives way', async () => {
    await start(2);
    const silent = [await identified(60_000), await identified(90_000)];
    await connections(2);
    expect(await Promise.all(silent.map((each) => ask(each, 'index')))).toEqual(['0', '1']);
    const displaced = silent.map(said);
    await identified();
    expect(await displaced[1]).toBe('displaced');
    await identified();
    expect(await displaced[0]).toBe('displaced');
    expect(await said(await identified())).toBe('limit');
    await connections(2);
    expect(plane.status().limitsReached).toMatchObject([{ limit: 'key', refused: 1, key: 'a' }]);
  });

  it('end a new connection of a key at its limit when none can tell how long the others were silent', async () => {
    await start(1, 'silent');
    await Promise.all([identified(90_000), identified(90_000)]);
    await connections(2);
    expect(await said(await identified())).toBe('limit');
  });

  it('lends a reactor where agents wait the room that the others have no use for', async () => {
    await start(2);
    await places(2);
    clients[0]!.write('pressure');
    await pollUntil(
      'more room',
      () => ask(clients[0]!, 'share'),
      (share) => share === '875 4 0.875',
    );
    expect(await ask(clients[1]!, 'share')).toBe('125 4 0.125');
    clients[1]!.write('pressure');
    await pollUntil(
      'equal room',
      () => Promise.all(clients.map((client) => ask(client, 'share'))),
      (shares) => shares.join() === '500 4 0.5,500 4 0.5',
    );
  });

  it('bounds writes over all reactors, and takes back the permits of a dead one', async () => {
    await start(2);
    await places(6);
    plane.updateReactorSettings({
      connection: {},
      flow: { bufferMaxEvents: 1_000, sinkWriters: 1 },
    } as never);
    const at = await Promise.all(clients.map((client) => ask(client, 'index')));
    const first = clients.find((_, each) => at[each] === '0')!;
    const [second, third] = clients.filter((_, each) => at[each] === '1');
    expect(await ask(first, 'want')).toBe('granted');
    let granted = 0;
    for (const client of [second!, third!]) client.write('want');
    for (const client of [second!, third!]) client.on('data', () => (granted += 1));
    // An answer of both reactors: what they were asked before has been said by then.
    await places(2);
    expect(granted).toBe(0);
    first.write('die');
    await pollUntil('the next', () => granted === 1);
    plane.updateReactorSettings({
      connection: {},
      flow: { bufferMaxEvents: 1_000, sinkWriters: 2 },
    } as never);
    await pollUntil('one more', () => granted === 2);
  });

  it('gives the newest connection to the reactor with the fewest', async () => {
    await start(2);
    await places(4);
    const first = await Promise.all(clients.map((client) => ask(client, 'index')));
    clients.filter((_, at) => first[at] === '1').forEach((client) => client.destroy());
    await pollUntil('both closed', () => plane.status().unidentifiedConnections === 2);
    expect(await places(2)).toEqual(['1', '1']);
  });

  it('starts more, and the agents that come get to them', async () => {
    await start(1);
    await places(2);
    plane.resizeReactors(3);
    await ready(3);
    expect(await places(4)).toEqual(['1', '1', '2', '2']);
    expect(await ask(clients[0]!, 'share')).toBe('333 4 0.333');
    expect(clients[0]!.destroyed).toBe(false);
  });

  it('lets surplus ones drain while the others go on, and closes only their connections', async () => {
    await start(3, 'slow');
    await places(3);
    const at = await Promise.all(clients.map((client) => ask(client, 'index')));
    const surplus = clients.filter((_, each) => at[each] !== '0');
    const stays = clients.find((_, each) => at[each] === '0')!;
    const pids = reactors().map(({ pid }) => pid!);
    plane.resizeReactors(1);
    expect(reactors().map(({ state }) => state)).toEqual(['ready', 'draining', 'draining']);
    await Promise.all(surplus.map((client) => once(client, 'close')));
    expect(await places(2)).toEqual(['0', '0']);
    // What drains still holds its share: the limit must not be exceeded meanwhile.
    expect(await ask(stays, 'share')).toBe('333 4 0.333');
    pids.slice(1).forEach((pid) => process.kill(pid, 'SIGUSR2'));
    await ready(1);
    await pollUntil(
      'the whole share',
      () => ask(stays, 'share'),
      (share) => share === '1000 4 1',
    );
    expect(reactors()[0]!.pid).toBe(pids[0]);
  });

  it('gives an index to a new process only when the one that drains has ended', async () => {
    await start(2, 'slow');
    const [, draining] = reactors().map(({ pid }) => pid!);
    plane.resizeReactors(1);
    plane.resizeReactors(2);
    expect(reactors().map(({ state }) => state)).toEqual(['ready', 'draining']);
    process.kill(draining!, 'SIGUSR2');
    await ready(2);
    expect(reactors()[1]!.pid).not.toBe(draining);
  });

  it('has a surplus reactor end with the gateway, however long it had otherwise', async () => {
    await start(2, 'slow');
    plane.resizeReactors(1);
    expect(await plane.stop(Date.now() + 5_000)).toHaveLength(2);
    expect(reactors().map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  });

  const lobby = (): ListenerStatus['lobby'] => plane.status().lobby;

  it('leave connections from unknown addresses to a lobby, which starts with the first one and stays beside them', async () => {
    await start(2, 'test', { known: false });
    expect(lobby()).toBeUndefined();
    expect(await places(2)).toEqual(['-1', '-1']);
    expect(lobby()).toMatchObject({ state: 'ready', restarts: 0 });
    await ready(2);
    expect(await ask(clients[0]!, 'share')).toBe('333 4 0.333');
    plane.updateAllowlist([{ spkiHash: 'a', hostname: 'h' }]);
    await pollUntil(
      'the allowlist',
      () => ask(clients[0]!, 'list'),
      (count) => count === '1',
    );
    plane.resizeReactors(1);
    await ready(1);
    expect(await ask(clients[0]!, 'index')).toBe('-1');
    const [here, there] = await plane.stop(Date.now() + 1_000);
    expect([here, there]).toEqual([expect.anything(), expect.anything()]);
    expect(lobby()).toMatchObject({ state: 'stopped' });
  });

  it('serve the connections of an address once an agent was seen there, while its first one stays in the lobby', async () => {
    await start(1, 'test', { known: false });
    const first = await dial();
    expect(await ask(first, 'index')).toBe('-1');
    first.write('identify');
    await connections(1);
    expect(await places(1)).toEqual(['0']);
    expect(await ask(first, 'index')).toBe('-1');
    expect(plane.knownAddresses()).toEqual([{ address: '127.0.0.1', at: expect.any(Number) }]);
  });

  it('serve the connections of an address from which an agent has enrolled', async () => {
    await start(1, 'test', { known: false });
    const enrolling = await dial();
    expect(await ask(enrolling, 'enroll')).toBe('Enrolled');
    // The fake's request says so.
    expect(plane.knownAddresses()).toEqual([{ address: '1', at: expect.any(Number) }]);
  });

  it('leave a known address to the lobby while it is slowed', async () => {
    await start(1);
    const first = await dial();
    expect(await ask(first, 'index')).toBe('0');
    first.write('violate');
    await pollUntil('the slowing', () => plane.status().bans.length === 1);
    expect(await places(1)).toEqual(['-1']);
    plane.liftBan('127.0.0.1');
    expect(await ask(await dial(), 'index')).toBe('0');
  });

  it('are not touched by the end of the lobby, which is started again', async () => {
    await start(1);
    await places(1);
    const pid = reactors()[0]!.pid;
    clients[0]!.write('violate');
    await pollUntil('the slowing', () => plane.status().bans.length === 1);
    const inLobby = await dial();
    expect(await ask(inLobby, 'index')).toBe('-1');
    expect(await ask(inLobby, 'die')).toBe('closed');
    await pollUntil('the next lobby', () => lobby()?.restarts === 1);
    expect(await ask(await dial(), 'index')).toBe('-1');
    expect(lobby()).toMatchObject({ state: 'ready', restarts: 1 });
    expect(reactors()).toMatchObject([{ pid, restarts: 0 }]);
    expect(await ask(clients[0]!, 'index')).toBe('0');
  });

  it('tells of a reactor that has fallen silent, ends it, and starts it again', async () => {
    await start(2, 'test', { watchdog: { tickMs: 20, warnTicks: 2, killTicks: 10 } });
    await pollUntil('a restart', () => (reactors()[0]?.restarts ?? 0) > 0);
    const messages = logger.lines.map(({ message }) => message);
    expect(messages).toContain('Reactor not responding');
    expect(logger.lines).toContainEqual(
      expect.objectContaining({
        message: 'Reactor ended, starting it again',
        fields: expect.objectContaining({ reason: expect.stringMatching(/^told nothing for/) }),
      }),
    );
  });
});
