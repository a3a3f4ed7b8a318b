import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LineFramer, sleep } from '@activity-gateway/pipeline/helpers';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { AgentClient } from './agent-client.js';
import { AgentProgress } from './agent-progress.js';
import { loadOrCreateIdentity, type AgentIdentity } from './identity.js';
import { ChunkBuilder, type MessageSource } from './message-source.js';
import type { EventStream } from './event-stream.js';
import { runAgent } from './run-agent.js';

let dir: string;
let serverIdentity: AgentIdentity;
let identity: AgentIdentity;
let server: Server;
let port: number;
const sockets = new Set<TLSSocket>();
let onSocket: (socket: TLSSocket) => void;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-client-'));
  serverIdentity = await loadOrCreateIdentity(join(dir, 'server'), 'gateway');
  identity = await loadOrCreateIdentity(join(dir, 'agent'), 'agent');
  const { certPem: cert, keyPem: key } = serverIdentity;
  server = createServer(
    { cert, key, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false },
    (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      onSocket(socket);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(dir, { recursive: true, force: true });
});

function client(serverSpki = serverIdentity.spkiHash, timeoutMs = 2_000): AgentClient {
  return new AgentClient({ host: '127.0.0.1', port, identity, serverSpki, timeoutMs });
}

/** Gives the lines of a connection to a listener, and closes when the agent has. */
function readLines(socket: TLSSocket, onLine: (line: string) => void): void {
  const framer = new LineFramer(1 << 20);
  socket.on('data', (chunk: Buffer) => framer.push(chunk).forEach((line) => onLine(line.toString())));
  socket.on('end', () => socket.end());
}

/** A source of so many numbered lines, ten in a chunk. */
function numbered(count: number): MessageSource {
  let next = 0;
  return async () => {
    const builder = new ChunkBuilder();
    while (next < count && builder.lines < 10) builder.add('file', `{"n":${next++}}`);
    return builder.take();
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(5);
  }
}

describe('AgentClient.enroll', () => {
  const request = { code: 'the-code', agentHost: 'FS-AGENT-01', agentVersion: '10.0.0' };

  it('shows its certificate, sends the request and reads the answer, however it is cut', async () => {
    const lines: string[] = [];
    let peer = '';
    onSocket = (socket) => {
      peer = socket.getPeerX509Certificate()?.subject ?? '';
      readLines(socket, (line) => {
        lines.push(line);
        socket.write('{"MessageType":"EnrollmentResponse",');
        setImmediate(() => socket.end('"Status":"Enrolled","SpkiHash":"00"}\r\n'));
      });
    };
    await expect(client().enroll(request)).resolves.toEqual({ status: 'Enrolled' });
    expect(peer).toContain('agent');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        MessageType: 'EnrollmentRequest',
        EnrollmentCode: 'the-code',
        AgentHost: 'FS-AGENT-01',
        AgentVersion: '10.0.0',
      },
    ]);
  });

  it('hands on a rejection', async () => {
    const answer = {
      MessageType: 'EnrollmentResponse',
      Status: 'Rejected',
      Error: 'ExpiredCode',
      Message: 'late',
    };
    onSocket = (socket) => readLines(socket, () => socket.end(JSON.stringify(answer)));
    await expect(client().enroll(request)).resolves.toEqual({
      status: 'Rejected',
      error: 'ExpiredCode',
      message: 'late',
    });
  });

  it('tells a close without an answer, a broken connection, silence and nonsense apart', async () => {
    onSocket = (socket) => readLines(socket, () => socket.end());
    await expect(client().enroll(request)).resolves.toEqual({ status: 'Unavailable' });
    onSocket = (socket) => readLines(socket, () => socket.destroy(new Error('reset')));
    await expect(client().enroll(request)).resolves.toEqual({ status: 'Unavailable' });
    onSocket = (socket) => void socket.resume();
    const silent = client(serverIdentity.spkiHash, 200).enroll(request);
    await expect(silent).rejects.toMatchObject({ code: 'AGENT_ENROLL_NO_ANSWER' });
    onSocket = (socket) => readLines(socket, () => socket.end('{"MessageType":"Ack"}\n'));
    await expect(client().enroll(request)).rejects.toMatchObject({ code: 'AGENT_ENROLL_BAD_ANSWER' });
  });

  it('sends nothing to a server with another key', async () => {
    let received = 0;
    onSocket = (socket) => void socket.on('data', (chunk: Buffer) => (received += chunk.length));
    const wrong = client('ab'.repeat(32));
    await expect(wrong.enroll(request)).rejects.toMatchObject({ code: 'AGENT_SERVER_KEY_MISMATCH' });
    await expect(wrong.stream()).rejects.toThrow('nothing was sent');
    await until(() => sockets.size === 0);
    expect(received).toBe(0);
  });

  it('says that nobody listens', async () => {
    server.close();
    await expect(client().enroll(request)).rejects.toMatchObject({ code: 'AGENT_CONNECT_FAILED' });
  });
});

describe('AgentClient.stream', () => {
  it('waits while the gateway does not read, and loses nothing', async () => {
    let lines = 0;
    let begin = (): void => undefined;
    onSocket = (socket) => {
      socket.pause();
      begin = () => {
        readLines(socket, () => (lines += 1));
        socket.resume();
      };
    };
    const stream = await client().stream();
    const text = `{"x":"${'y'.repeat(10_000)}"}\n`.repeat(10);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 2_000; sent += 10) await stream.send(text, 10);
      await stream.end(5_000);
    })();
    await until(() => sent > 10);
    // 20 MB do not fit into the buffers of two sockets.
    await sleep(200);
    expect(sent).toBeLessThan(2_000);
    begin();
    await sending;
    expect(lines).toBe(2_000);
  });

  it('keeps an idle connection alive with empty lines', async () => {
    let bytes = '';
    onSocket = (socket) => void socket.on('data', (chunk: Buffer) => (bytes += chunk.toString()));
    const stream = await client().stream();
    await stream.send('{}\n', 1);
    await until(() => bytes === '{}\n\n');
    stream.destroy();
    await stream.closed;
  });

  it('says so when the gateway never reads the end', async () => {
    onSocket = (socket) => void socket.pause();
    const stream = await client().stream();
    await stream.send('{}\n', 1);
    await expect(stream.end(100)).rejects.toMatchObject({ code: 'AGENT_CONNECTION_LOST' });
  });
});

describe('runAgent', () => {
  const backoff = { initialMs: 10, maxMs: 20 };

  it('sends everything in order and waits until it was read', async () => {
    const lines: string[] = [];
    onSocket = (socket) => readLines(socket, (line) => lines.push(line));
    const progress = await runAgent({ client: client(), source: numbered(1_000) });
    expect(lines).toEqual(Array.from({ length: 1_000 }, (_, n) => `{"n":${n}}`));
    expect(progress).toMatchObject({ sent: 1_000, unconfirmed: 0, reconnects: 0, connected: false });
    expect([...progress.sentByKind]).toEqual([['file', 1_000]]);
  });

  it('connects again, goes on with what was not handed over, sends nothing twice', async () => {
    const lines: string[] = [];
    let connections = 0;
    onSocket = (socket) => {
      connections += 1;
      const first = connections === 1;
      readLines(socket, (line) => {
        lines.push(line);
        if (first && lines.length === 500) socket.destroy();
      });
    };
    let chunks = 0;
    const all = numbered(1_000);
    const agent = client();
    const opened: EventStream[] = [];
    const connect = agent.stream.bind(agent);
    agent.stream = async (signal) => {
      const stream = await connect(signal);
      opened.push(stream);
      return stream;
    };
    const source: MessageSource = async (signal) => {
      chunks += 1;
      // Until the agent has noticed too, what it hands over is lost with the connection.
      if (chunks === 60) await opened[0]?.closed;
      return all(signal);
    };
    const progress = await runAgent({ client: agent, source, backoff });
    expect(progress.reconnects).toBe(1);
    expect(progress.sent).toBe(1_000);
    expect(progress.unconfirmed).toBeGreaterThanOrEqual(500);
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.at(-1)).toBe('{"n":999}');
    expect(lines.length).toBeGreaterThanOrEqual(1_000 - (progress.unconfirmed - 500));
  });

  it('gives up after failures in a row, with the last one', async () => {
    onSocket = (socket) => socket.end();
    const progress = new AgentProgress();
    const source = numbered(1_000_000);
    const running = runAgent({ client: client(), source, backoff, maxFailures: 3, progress });
    await expect(running).rejects.toMatchObject({ code: 'AGENT_CONNECTION_LOST' });
    expect(progress.reconnects).toBe(2);
    expect(progress.unconfirmed).toBe(progress.sent);
  });

  it('gives up at once on a server with another key', async () => {
    onSocket = (socket) => void socket.resume();
    const running = runAgent({ client: client('ab'.repeat(32)), source: numbered(1), backoff });
    await expect(running).rejects.toMatchObject({ code: 'AGENT_SERVER_KEY_MISMATCH' });
  });

  it('ends in order on stop, at once on abort', async () => {
    let lines = 0;
    onSocket = (socket) => readLines(socket, () => (lines += 1));
    const stop = new AbortController();
    const endless: MessageSource = async () => {
      await sleep(1);
      return numbered(10)(stop.signal);
    };
    const stopped = runAgent({ client: client(), source: endless, stop: stop.signal });
    await until(() => lines > 20);
    stop.abort();
    expect(await stopped).toMatchObject({ sent: lines, unconfirmed: 0 });

    onSocket = (socket) => void socket.pause();
    const abort = new AbortController();
    const progress = new AgentProgress();
    const aborted = runAgent({ client: client(), source: numbered(10), abort: abort.signal, progress });
    await until(() => progress.sent === 10);
    abort.abort();
    expect(await aborted).toMatchObject({ sent: 10, unconfirmed: 10 });
  });
});
