import { spawn, type ChildProcess } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { AgentIdentity } from '@activity-gateway/agent';
import { freePort } from '../../support/gateway.js';
import { pollUntil } from '../../support/poll.js';
import { RawAgent } from '../../support/raw-agent.js';
import { countLines } from '../end-to-end/stored-events.js';
import type { ProcessGroups, Target } from '../end-to-end/target.js';
import { moduleArgs, type PeerProgram } from './find-peers.js';

const TEMPLATES = resolve('test/bench/peers');
const SETTLE_MS = 120_000;
const STOP_MS = 10_000;

/** Starts a peer with its template; it takes the same events as the gateway and writes them to a file. */
export async function startPeer(program: PeerProgram, agents: readonly AgentIdentity[]): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-peer-'));
  const port = await freePort();
  const config = await writePeerConfig(program, folder, port, agents);
  const child = spawn(program.binary, commandLine(program, folder, config), {
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4_000)));
  const target = new PeerTarget(program.name, child, folder, port, agents);
  try {
    await whenListening(child, port, agents[0]!);
  } catch (error) {
    await target.stop();
    throw new Error(`${program.name} did not start: ${(error as Error).message}\n${log}`, { cause: error });
  }
  return target;
}

class PeerTarget implements Target {
  constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
    readonly agents: readonly AgentIdentity[],
  ) {}

  async processes(): Promise<ProcessGroups> {
    return { peer: [this.child.pid!] };
  }

  /** A peer tells nothing of its progress: it is through when its file has all the bytes. */
  async settled(_events: number, bytes: number): Promise<void> {
    const written = async (): Promise<number> => (await stat(outputOf(this.folder))).size;
    await pollUntil(`${this.name} to write ${bytes} bytes`, written, (size) => size === bytes, SETTLE_MS);
  }

  async verify(events: number): Promise<void> {
    const lines = await countLines(outputOf(this.folder));
    if (lines !== events) throw new Error(`${this.name} wrote ${lines} of ${events} events.`);
  }

  async stop(): Promise<void> {
    await end(this.child);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function outputOf(folder: string): string {
  return join(folder, 'events.out');
}

/** Fills in the template of a peer; gives the path of the file. */
async function writePeerConfig(
  program: PeerProgram,
  folder: string,
  port: number,
  agents: readonly AgentIdentity[],
): Promise<string> {
  const server = agents[0]!;
  await writeFile(join(folder, 'server.key'), server.keyPem, { mode: 0o600 });
  await writeFile(join(folder, 'server.crt'), server.certPem);
  const values: Record<string, string> = {
    VERSION: program.configVersion,
    PORT: String(port),
    FOLDER: folder,
    KEY: join(folder, 'server.key'),
    CERT: join(folder, 'server.crt'),
    CONNECTIONS: String(Math.max(100, agents.length * 2)),
    OUTPUT: outputOf(folder),
    FINGERPRINTS: agents.map(fingerprint).join(','),
  };
  const template = await readFile(join(TEMPLATES, `${program.name}.conf`), 'utf8');
  const config = join(folder, `${program.name}.conf`);
  await writeFile(
    config,
    template.replace(/@([A-Z]+)@/g, (whole, key: string) => values[key] ?? whole),
  );
  return config;
}

function fingerprint({ certPem }: AgentIdentity): string {
  return `"SHA1:${new X509Certificate(certPem).fingerprint}"`;
}

function commandLine(program: PeerProgram, folder: string, config: string): string[] {
  const modules = moduleArgs(program.name, program.modules);
  if (program.name === 'rsyslog') return [...modules, '-n', '-f', config, '-i', join(folder, 'pid')];
  const file = (name: string): string => join(folder, name);
  return [
    ...modules,
    ...['--foreground', '--stderr', '--no-caps', '--cfgfile', config],
    ...['--persist-file', file('persist'), '--pidfile', file('pid'), '--control', file('control')],
  ];
}

/** Until a TLS connection is taken. */
async function whenListening(child: ChildProcess, port: number, agent: AgentIdentity): Promise<void> {
  await pollUntil('a TLS connection', async () => {
    if (child.exitCode !== null) return true;
    const connection = await RawAgent.connect(port, agent);
    await connection.end();
    return true;
  });
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
