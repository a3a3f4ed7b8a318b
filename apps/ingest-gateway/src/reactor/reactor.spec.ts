import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type AcceptedConnection,
  type ConnectionTaker,
  type Pipeline,
  type PipelineOptions,
  PluginRegistry,
} from '@activity-gateway/pipeline/host';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import type { FromReactor, ReactorConfiguration, ToReactor } from './messages.js';
import type { Port, PortListener } from './port.js';
import type { ReactorServices } from './reactor-services.js';
import { Reactor } from './reactor.js';

/** Both ends of a channel in one process. */
class LocalPort implements Port {
  readonly sent: FromReactor[] = [];
  #listener: PortListener = () => undefined;
  #lost = (): void => undefined;

  send(message: FromReactor): void {
    this.sent.push(message);
  }

  onMessage(listener: PortListener): void {
    this.#listener = listener;
  }

  onLost(listener: () => void): void {
    this.#lost = listener;
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  tell(message: ToReactor, socket?: Socket): void {
    this.#listener(message, socket);
  }

  lose(): void {
    this.#lost();
  }

  /** Requests of a name. */
  asked(name: string): { readonly id: number; readonly question: unknown }[] {
    return this.of('request').filter((request) => request.name === name);
  }

  of<T extends FromReactor['type']>(type: T): Extract<FromReactor, { type: T }>[] {
    return this.sent.filter((message): message is Extract<FromReactor, { type: T }> => message.type === type);
  }
}

const TAKER: ConnectionTaker = {
  accept: () => undefined,
  closeAll: () => undefined,
  end: () => undefined,
  silentMs: () => undefined,
};
const AGENT = { spkiHash: 'a'.repeat(64), hostname: 'FS-AGENT-01' };
const CONFIGURATION = {
  gatewayId: 'gw',
  epoch: '0001',
  index: 0,
  plugins: [],
  pipelines: [{ name: 'activity' }],
  settings: { connection: { maxMessageBytes: 1 }, flow: { batchSize: 1 } },
  allowlist: [AGENT],
  tlsIdentity: null,
  endpoints: {},
  log: { level: 'info', format: 'json' },
} as unknown as ReactorConfiguration;

describe('Reactor', () => {
  let port: LocalPort;
  let options: PipelineOptions | undefined;
  let exits: number[];
  let pipeline: Pipeline;
  let logger: ReturnType<typeof createRecordingLogger>;

  beforeEach(() => {
    port = new LocalPort();
    options = undefined;
    exits = [];
    logger = createRecordingLogger();
    pipeline = {
      name: 'activity',
      start: async () => undefined,
      drain: async () => ({ pipeline: 'activity', written: 3, left: 0 }),
      replay: async () => [],
      status: () => ({ name: 'activity', queue: {} }) as never,
      adopt: () => undefined,
    };
    new Reactor({
      port,
      registry: new PluginRegistry([]),
      createPipeline: (given) => {
        options = given;
        return pipeline;
      },
      createLogger: () => logger,
      exit: (code) => exits.push(code),
    }).start();
  });

  afterEach(() => port.lose());

  async function configured(): Promise<PipelineOptions & { readonly services: ReactorServices }> {
    port.tell({ type: 'configure', configuration: CONFIGURATION });
    await pollUntil('ready', () => port.of('ready').length === 1);
    return { ...options!, services: options!.services as ReactorServices };
  }

  it('says hello, builds its pipelines from the snapshots, and reports its status', async () => {
    expect(port.sent).toEqual([{ type: 'hello' }]);
    const { gatewayId, epoch, services, settings } = await configured();
    expect([gatewayId, epoch]).toEqual(['gw', '0001']);
    expect(services.allowlist.current.get(AGENT.spkiHash)).toEqual(AGENT);
    expect(services.tlsIdentity.current).toBeUndefined();
    expect(settings.current.batchSize).toBe(1);
    expect(port.of('status')[0]!.status).toMatchObject({ pipelines: [{ name: 'activity' }], connections: 0 });
  });

  it('replaces snapshots while it runs', async () => {
    const { services, settings } = await configured();
    const seen: number[] = [];
    services.connectionSettings.subscribe((value) => seen.push(value.maxMessageBytes));
    port.tell({
      type: 'settings',
      settings: { connection: { maxMessageBytes: 2 }, flow: { batchSize: 2 } } as never,
    });
    port.tell({ type: 'allowlist', entries: [] });
    port.tell({ type: 'tls-identity', identity: { cert: 'c', key: 'k' } });
    port.tell({ type: 'endpoints', endpoints: { clickhouse: { url: 'http://x' } as never } });
    expect([seen, settings.current.batchSize]).toEqual([[2], 2]);
    expect(services.allowlist.current.size).toBe(0);
    expect(services.tlsIdentity.current).toEqual({ cert: 'c', key: 'k' });
    expect(services.endpoints.current.get('clickhouse')?.url).toBe('http://x');
  });

  it('gives connections to the one taker, and says once that they are closed', async () => {
    const { connections } = (await configured()).services;
    const announced = { id: 'c1', remoteAddress: '10.0.0.1', remotePort: 5, acceptedAt: 1, known: false };
    port.tell({ type: 'connection', ...announced, id: 'too-early' }, new Socket());
    const taken: AcceptedConnection[] = [];
    const release = connections.take({ ...TAKER, accept: (connection) => void taken.push(connection) });
    expect(() => connections.take(TAKER)).toThrow('Two sources want the connections');
    const socket = new Socket();
    port.tell({ type: 'connection', ...announced }, socket);
    expect(taken).toEqual([{ ...announced, socket }]);
    // An error that nobody listens to would end the process.
    expect(() => socket.emit('error', new Error('read ECONNRESET'))).not.toThrow();
    connections.closed('c1');
    connections.closed('c1');
    port.tell({ type: 'connection', ...announced, id: 'no-socket' });
    release();
    const late = new Socket();
    port.tell({ type: 'connection', ...announced, id: 'too-late' }, late);
    expect(late.destroyed).toBe(true);
    expect(port.of('connection-closed').map((message) => message.id)).toEqual([
      'too-early',
      'c1',
      'no-socket',
      'too-late',
    ]);
  });

  it('has open connections closed by their taker, or cuts them when there is none', async () => {
    const { connections } = (await configured()).services;
    const announced = { id: 'c1', remoteAddress: '10.0.0.1', remotePort: 5, acceptedAt: 1, known: false };
    const socket = new Socket();
    let asked = 0;
    const release = connections.take({ ...TAKER, closeAll: () => void (asked += 1) });
    port.tell({ type: 'connection', ...announced }, socket);
    port.tell({ type: 'close-connections' });
    expect([asked, socket.destroyed]).toEqual([1, false]);
    release();
    port.tell({ type: 'close-connections' });
    expect([asked, socket.destroyed]).toEqual([1, true]);
  });

  it('tells what peers turn out to be, and asks the taker about silence and for an end', async () => {
    const { connections } = (await configured()).services;
    const announced = { remoteAddress: '10.0.0.1', remotePort: 5, acceptedAt: 1, known: false };
    const ends: unknown[] = [];
    const release = connections.take({
      ...TAKER,
      end: (...end) => void ends.push(end),
      silentMs: (id) => (id === 'c1' ? 7 : undefined),
    });
    const socket = new Socket();
    port.tell({ type: 'connection', ...announced, id: 'c1' }, socket);
    connections.identified('c1', 'key');
    expect(port.of('connection-identified')).toEqual([
      { type: 'connection-identified', id: 'c1', key: 'key' },
    ]);
    port.tell({ type: 'request', id: 3, name: 'silences', question: ['c1', 'gone'] });
    expect(port.of('answer')).toEqual([{ type: 'answer', id: 3, answer: { c1: 7 } }]);
    port.tell({ type: 'end-connection', id: 'c1', reason: 'displaced' });
    expect([ends, socket.destroyed]).toEqual([[['c1', 'displaced']], false]);
    release();
    port.tell({ type: 'end-connection', id: 'c1', reason: 'displaced' });
    expect(socket.destroyed).toBe(true);
  });

  it('asks the control plane about enrollments and passes on bans and presence', async () => {
    const { services } = await configured();
    const request = { code: 'c', spkiHash: 's', sourceIp: '10.0.0.1', hostname: 'h' };
    const first = services.enroll(request);
    const second = services.enroll(request);
    const [one, two] = port.asked('enroll');
    port.tell({ type: 'answer', id: two!.id, answer: { status: 'Unavailable' } });
    port.tell({ type: 'answer', id: one!.id, answer: { status: 'Enrolled' } });
    port.tell({ type: 'answer', id: 99, answer: { status: 'Enrolled' } });
    expect([await first, await second]).toEqual([{ status: 'Enrolled' }, { status: 'Unavailable' }]);
    services.connections.violated('c1', 'protocol_violation');
    expect(port.of('connection-violated')).toEqual([
      { type: 'connection-violated', id: 'c1', reason: 'protocol_violation' },
    ]);
    const certificate = { subject: 'CN=s', notAfter: 1 };
    services.presence.seen('s', { events: 2, bytes: 30, certificate });
    services.presence.seen('s', { events: 1, bytes: 10 });
    services.presence.seen('t');
    await pollUntil('seen', () => port.of('agents-seen').length === 1);
    expect(port.of('agents-seen')[0]).toMatchObject({
      spkiHashes: ['s', 't'],
      reports: { s: { events: 3, bytes: 40, certificate }, t: { events: 0, bytes: 0 } },
    });
  });

  it('takes its part of the buffer as it is dealt, and leaves the other settings', async () => {
    const { settings } = await configured();
    port.tell({ type: 'credit', credit: { bufferMaxEvents: 7, bufferBytesShare: 0.5 } });
    expect(settings.current).toEqual({ batchSize: 1, bufferMaxEvents: 7, bufferBytesShare: 0.5 });
  });

  it('asks for a permit before each write, and gives it back; without a control plane it goes without', async () => {
    const { writePermits } = await configured();
    let written = 0;
    const write = (): Promise<void> => writePermits!.run('p/s', async () => void (written += 1));
    const first = write();
    const failing = writePermits!.run('p/s', () => Promise.reject(new Error('no')));
    expect(port.asked('write-permit').map(({ id, question }) => [id, question])).toEqual([
      [1, 'p/s'],
      [2, 'p/s'],
    ]);
    expect(written).toBe(0);
    port.tell({ type: 'answer', id: 1, answer: null });
    await first;
    port.tell({ type: 'answer', id: 2, answer: null });
    await expect(failing).rejects.toThrow('no');
    expect(port.of('write-permit-done')).toHaveLength(2);
    const orphaned = write();
    port.lose();
    await orphaned;
    await write();
    expect(written).toBe(3);
  });

  it('collects its metrics', async () => {
    (await configured()).metrics.counter('gateway_x_total', 'x').add(2);
    port.tell({ type: 'request', id: 7, name: 'metrics', question: null });
    await pollUntil('metrics', () => port.of('answer').length === 1);
    expect(port.of('answer')[0]).toMatchObject({ id: 7, answer: [{ name: 'gateway_x_total' }] });
  });

  it('drains, reports and exits, once', async () => {
    await configured();
    port.tell({ type: 'drain', deadline: Date.now() + 1_000 });
    port.tell({ type: 'drain', deadline: Date.now() + 1_000 });
    await pollUntil('exit', () => exits.length > 0);
    expect(port.of('drained')).toEqual([
      { type: 'drained', reports: [{ pipeline: 'activity', written: 3, left: 0 }] },
    ]);
    expect(exits).toEqual([0]);
  });

  it('tells why its pipelines cannot start, stops what had started, and exits', async () => {
    let drained = false;
    pipeline.start = () => Promise.reject(new GatewayError('X', 'No such plugin.', 'Use another.'));
    pipeline.drain = async () => {
      drained = true;
      return { pipeline: 'activity', written: 0, left: 0 };
    };
    port.tell({ type: 'configure', configuration: CONFIGURATION });
    await pollUntil('exit', () => exits.length === 1);
    expect(port.of('failed')).toEqual([{ type: 'failed', reason: 'No such plugin. Use another.' }]);
    expect([drained, exits, port.of('ready')]).toEqual([true, [1], []]);
  });

  it('drains and exits when the control plane is gone', async () => {
    await configured();
    port.lose();
    await pollUntil('exit', () => exits.length === 1);
    expect(exits).toEqual([0]);
  });
});
