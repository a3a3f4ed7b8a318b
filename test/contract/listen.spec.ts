import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import {
  API_VERSION,
  Batch,
  createEvent,
  definePlugin,
  type Emit,
  type Listen,
  type Listening,
  type PeerConnection,
  type ServedConnection,
  type Source,
  type SourceEvent,
} from '@activity-gateway/pipeline/api';
import { LineFramer } from '@activity-gateway/pipeline/helpers';
import { requiredServices } from '@activity-gateway/pipeline/host';
import { pollUntil } from '../support/poll.js';
import { SourceRig } from '../support/source-rig.js';

/** Also as a part of identifiers: `nam_tls`, `NamReader`; not within words such as "name". */
const WORDS = [/(?<![a-z])nam(?![a-z])|agent|spki/i, /[Nn]am[A-Z]/];
/** Names of stored columns, a format of Node's, a host name of test cases, and the id that examples name. */
const ALLOWED = /agent_spki|agent_host|'spki'|FS-AGENT-01|sources\.nam_tls/g;

/** A connection of a protocol of lines: each is an event. */
class LineConnection implements ServedConnection {
  readonly silentMs = 0;
  readonly #framer = new LineFramer(1_000);
  #why = 'ended';

  constructor(
    private readonly peer: PeerConnection,
    private readonly emit: Emit,
  ) {}

  async run(): Promise<string> {
    const { key, refusal } = await this.peer.handshake;
    if (refusal !== undefined) {
      if (refusal.violation) this.peer.violated(refusal.reason);
      this.stop(refusal.reason);
    } else {
      this.peer.identified(key);
      for await (const chunk of this.peer.socket) await this.#take(chunk as Buffer, key);
    }
    await this.peer.closed;
    return this.#why;
  }

  stop(reason: string): void {
    this.#why = reason;
    this.peer.socket.end();
    this.peer.socket.resume();
  }

  destroy(): void {
    this.peer.socket.destroy();
  }

  async #take(chunk: Buffer, sender: string): Promise<void> {
    const lines = this.#framer.push(chunk);
    const origin = { connectionId: this.peer.id, sender, senderHost: '', sourceIp: this.peer.remoteAddress };
    const events = lines.map((line) => createEvent('Line', { text: line.toString() }, line));
    await this.emit(new Batch(origin, Date.now(), chunk.length, events));
  }
}

/** A source that nobody has told of the gateway's own protocol. */
class LineSource implements Source {
  readonly closed: string[] = [];
  failing: 'serve' | 'run' | undefined;
  listening: Listening<LineConnection> | undefined;

  constructor(private readonly listen: Listen) {}

  read(raw: Buffer): SourceEvent {
    return createEvent('Line', { text: raw.toString() }, raw);
  }

  start(_signal: AbortSignal, emit: Emit): Promise<void> {
    this.listening = this.listen({
      tls: 'mutual',
      serve: (peer) => {
        if (this.failing === 'serve') throw new Error('no serve');
        const connection = new LineConnection(peer, emit);
        if (this.failing === 'run') connection.run = () => Promise.reject(new Error('no run'));
        return connection;
      },
      closed: (reason, error) =>
        this.closed.push(error instanceof Error ? `${reason}: ${error.message}` : reason),
    });
    return Promise.resolve();
  }

  async stop(deadline: number): Promise<void> {
    await this.listening?.stop(deadline);
  }
}

const lineSource = definePlugin<object, 'listen'>({
  id: 'sources.lines',
  kind: 'source',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Takes lines over mutually authenticated TLS.',
  configSchema: { type: 'object', additionalProperties: false, properties: {} },
  instances: 'each-reactor',
  requires: ['listen'],
  create: (_, { services }) => new LineSource(services.listen),
});

describe('a source of another protocol that listens', () => {
  let server: TestCertificate;
  let peer: TestCertificate;
  let rig: SourceRig;
  beforeAll(async () => {
    server = await createTestCertificate({ commonName: 'gateway' });
    peer = await createTestCertificate({ commonName: 'door' });
  });
  beforeEach(async () => {
    rig = new SourceRig({
      server,
      agent: peer,
      create: (context) =>
        lineSource.create(
          {},
          { ...context, services: requiredServices(lineSource, context.services) as never },
        ),
    });
    await rig.start();
  });
  afterEach(() => rig.stop());
  const source = (): LineSource => rig.source as LineSource;

  it('gets what a peer sends over TLS 1.3, and the key that it has proved', async () => {
    const client = await rig.connect();
    expect(client.socket.getProtocol()).toBe('TLSv1.3');
    client.socket.write('open\nclosed\n');
    await pollUntil('the lines', () => rig.lines().join() === 'open,closed');
    expect(rig.batches[0]!.origin.sender).toBe(peer.spkiHash);
    expect(rig.context.services.connections.identifications).toEqual([
      { connectionId: 'c1', key: peer.spkiHash },
    ]);
    expect(source().listening?.connections.size).toBe(1);
    client.socket.end();
    await pollUntil('the end', () => source().closed.join() === 'ended');
    expect(rig.context.services.connections.closedIds).toEqual(['c1']);
    expect(source().listening?.connections.size).toBe(0);
  });

  it('is told why a peer must not be served, and has its address punished', async () => {
    const client = await rig.connect({ cert: undefined, key: undefined });
    await client.closed;
    await pollUntil('the end', () => source().closed.join() === 'no_client_certificate');
    expect(rig.bans()).toEqual(['no_client_certificate']);
  });

  it('serves nobody without a certificate of the server, and nobody after its stop', async () => {
    rig.context.services.tlsIdentity.set(undefined);
    const early = await rig.connect();
    await early.closed;
    expect(source().closed).toEqual(['no_server_certificate']);
    rig.context.services.tlsIdentity.set({ cert: server.certPem, key: server.keyPem });
    const open = await rig.connect();
    await pollUntil('the peer', () => rig.context.services.connections.identifications.length === 1);
    await source().stop(Date.now() + 5_000);
    await open.closed;
    expect(source().closed).toEqual(['no_server_certificate', 'stopping']);
    const late = await rig.connect();
    await late.closed;
    expect(source().closed).toHaveLength(2);
  });

  it('costs a peer its connection, and nobody else, when it fails', async () => {
    const other = await rig.connect();
    await pollUntil('the other peer', () => rig.context.services.connections.identifications.length === 1);
    for (const failing of ['serve', 'run'] as const) {
      source().failing = failing;
      const client = await rig.connect();
      await client.closed;
      await pollUntil('the end', () => source().closed.at(-1) === `internal_error: no ${failing}`);
    }
    expect(rig.context.services.connections.closedIds).toEqual(['c2', 'c3']);
    source().failing = undefined;
    other.socket.write('still here\n');
    await pollUntil('the line', () => rig.lines().join() === 'still here');
    expect(source().listening?.connections.size).toBe(1);
  });

  it('cannot listen where it does not ask for that', () => {
    const { requires: _, ...deaf } = lineSource;
    expect(requiredServices(deaf, rig.context.services)).toEqual({});
  });
});

describe('the pipeline library', () => {
  it('has no word of the domain', async () => {
    const root = 'libs/pipeline/src';
    const names = await readdir(root, { recursive: true });
    const files = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    const found = await Promise.all(
      files.map(async (name) => {
        const lines = (await readFile(join(root, name), 'utf8')).split('\n');
        return lines.flatMap((line, index) =>
          WORDS.some((word) => word.test(line.replace(ALLOWED, ''))) ? [`${name}:${index + 1} ${line}`] : [],
        );
      }),
    );
    expect(files.length).toBeGreaterThan(100);
    expect(found.flat()).toEqual([]);
  });
});
