import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadOrCreateIdentity, type AgentIdentity } from '@activity-gateway/agent';
import { LineFramer } from '@activity-gateway/pipeline/helpers';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { agentCommand } from './agent.command.js';
import { printError } from './print-error.js';

const agent = (argv: readonly string[]): Promise<number> => agentCommand().run(argv).catch(printError);

let dir: string;
let identity: AgentIdentity;
let server: Server;
let args: string[];
let received: string[];
let enrolled: Set<string>;
let answer: object;
let output: string;
let hellos: number;

/** Enrolls whom it is told to, and takes events of those it has enrolled; acknowledges them if it is asked to. */
function serve(socket: TLSSocket): void {
  const framer = new LineFramer(1 << 20);
  let acks = false;
  let taken = 0;
  const peer = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
  socket.on('error', () => undefined).on('end', () => socket.end());
  socket.on('data', (chunk: Buffer) => {
    for (const line of framer.push(chunk).map(String)) {
      if (line.includes('EnrollmentRequest')) {
        enrolled.add(peer);
        socket.end(`${JSON.stringify(answer)}\n`);
      } else if (!enrolled.has(peer)) socket.destroy();
      else if (line.includes('"Hello"')) {
        hellos += 1;
        acks = true;
      } else {
        received.push(line);
        taken += 1;
      }
    }
    if (acks && !socket.destroyed) socket.write(`{"MessageType":"Ack","Messages":${taken}}\n`);
  });
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-command-'));
  identity = await loadOrCreateIdentity(join(dir, 'server'), 'gateway');
  received = [];
  hellos = 0;
  enrolled = new Set();
  answer = { MessageType: 'EnrollmentResponse', Status: 'Enrolled', SpkiHash: '00' };
  const tls = { cert: identity.certPem, key: identity.keyPem, requestCert: true, rejectUnauthorized: false };
  server = createServer({ ...tls, minVersion: 'TLSv1.3' }, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  args = ['--port', String((server.address() as AddressInfo).port), '--data', join(dir, 'agents')];
  output = '';
  const keep = (text: unknown): boolean => (output += String(text)) !== '';
  jest.spyOn(process.stdout, 'write').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(async () => {
  jest.restoreAllMocks();
  server.close();
  await rm(dir, { recursive: true, force: true });
});

const token = (): string => `nam1.${'c'.repeat(43)}.${identity.spkiHash}`;

describe('agent', () => {
  it('enrolls, sends as many events as it was told over all agents, and says what it sent', async () => {
    expect(await agent([...args, '--token', token(), '--agents', '3', '--events', '1000'])).toBe(0);
    expect(enrolled.size).toBe(3);
    expect(received).toHaveLength(1_000);
    expect(output).toContain('3 of 3 agents enrolled');
    expect(output).toMatch(/total +1,000/);
    expect(output).toMatch(/sharepoint +\d+/);
    expect(output).toContain('1,000 acknowledged, 0 unconfirmed');
    expect(hellos).toBe(3);
  });

  it('asks for no acknowledgements when it is told so', async () => {
    expect(await agent([...args, '--token', token(), '--events', '100', '--no-ack'])).toBe(0);
    expect([hellos, received.length]).toEqual([0, 100]);
    expect(output).not.toContain('acknowledged');
  });

  it('needs no token the second time, and says so the first', async () => {
    expect(await agent([...args, '--events', '5'])).toBe(1);
    expect(output).toContain('AGENT_NOT_ENROLLED');
    expect(await agent([...args, '--token', token(), '--events', '5'])).toBe(0);
    expect(await agent([...args, '--events', '5'])).toBe(0);
    expect(received).toHaveLength(10);
  });

  it('sends the lines of a file as they are, each once', async () => {
    const lines = Array.from({ length: 700 }, (_, n) => `{"ActivityType":"Copilot","n":${n},"ä":"\\u00e4"}`);
    const file = join(dir, 'events.jsonl');
    await writeFile(file, `${lines.join('\r\n')}\n\nNov 20 09:15:02 h LEEF:1.0|a|b|c|d|`);
    const code = await agent([...args, '--token', token(), '--agents', '2', '--file', file]);
    expect(code).toBe(0);
    expect(received.sort()).toEqual([...lines, 'Nov 20 09:15:02 h LEEF:1.0|a|b|c|d|'].sort());
    expect(output).toMatch(/copilot +700\n +leef +1\n/);
  });

  it('keeps to the rate and ends after the duration', async () => {
    const startedAt = performance.now();
    expect(await agent([...args, '--token', token(), '--rate', '200', '--duration', '0.5'])).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(450);
    expect(received.length).toBeGreaterThan(20);
    expect(received.length).toBeLessThanOrEqual(140);
  });

  it('says why it cannot enroll or read, with exit code 1, and what is wrong with its options, with 2', async () => {
    const other = `nam1.${'c'.repeat(43)}.${'ab'.repeat(32)}`;
    expect(await agent([...args, '--token', other, '--events', '1'])).toBe(1);
    expect(output).toContain('AGENT_SERVER_KEY_MISMATCH');
    answer = { MessageType: 'EnrollmentResponse', Status: 'Rejected', Error: 'InvalidCode', Message: 'no' };
    expect(await agent([...args, '--token', token(), '--events', '1'])).toBe(1);
    expect(output).toContain('InvalidCode (no)');
    answer = { MessageType: 'EnrollmentResponse', Status: 'Enrolled' };
    expect(await agent([...args, '--token', token(), '--file', join(dir, 'none')])).toBe(1);
    expect(output).toContain('AGENT_FILE_UNREADABLE');
    expect(await agent([...args, '--evnts', '1'])).toBe(2);
    expect(output).toContain('Did you mean --events?');
    expect(received).toEqual([]);
  });
});
