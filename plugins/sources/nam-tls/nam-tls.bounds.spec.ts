import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { forgeChain, makeCertificate, SIGNED_WITH } from '../../../test/support/certificates.js';
import { RigClient, SourceRig, until } from '../../../test/support/source-rig.js';
import { namTlsSource } from './index.js';

const EVENT = '{"ActivityType":"FileSystem","Path":"a"}';

let server: TestCertificate;
let agent: TestCertificate;
let largeKey: KeyObject;
let rig: SourceRig;

beforeAll(async () => {
  largeKey = generateKeyPairSync('rsa', { modulusLength: 4_104 }).privateKey;
  server = await createTestCertificate({ commonName: 'gateway' });
  agent = await createTestCertificate({ commonName: 'agent' });
});

/** @param known whether the peer comes from an address where agents were seen */
async function start(known: boolean, of = agent): Promise<void> {
  rig = new SourceRig({
    server,
    agent: of,
    known,
    create: (context) => namTlsSource.create({ max_batch_events: 100 }, context),
  });
  await rig.start();
}

afterEach(() => rig.stop());

/** A chain of linked certificates, all of them signed as they say. */
function chainOf(certificates: number, root?: KeyObject): { certPem: string; keyPem: string } {
  const keys = Array.from(
    { length: certificates },
    () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  );
  if (root !== undefined) keys[certificates - 1] = root;
  const chain = keys.map((key, i) => {
    const issuer = { commonName: `c${i + 1}`, key: keys[i + 1] ?? key };
    const signedWith = issuer.key === root ? SIGNED_WITH.rsaSha256 : SIGNED_WITH.ecdsaSha256;
    return makeCertificate({ commonName: `c${i}`, key, signedWith, issuer });
  });
  return { certPem: chain.map(({ certPem }) => certPem).join(''), keyPem: chain[0]!.keyPem };
}

/** Connects with a chain, and sends what an agent would send. */
async function show({ certPem, keyPem }: { certPem: string; keyPem: string }): Promise<void> {
  const client = await rig.connect({ cert: certPem, key: keyPem });
  client.socket.write(`${EVENT}\n`);
  await client.closed;
}

describe.each([
  ['an unknown address', false],
  ['the address of an agent', true],
])('a peer from %s', (_where, known) => {
  it('may link three certificates', async () => {
    await start(known);
    await show(chainOf(3));
    await rig.closed('unknown_agent');
    expect(rig.bans()).toEqual([]);
  });

  it('is banned for a chain of four', async () => {
    await start(known);
    await show(chainOf(4));
    await rig.closed('certificate_chain_too_long');
    expect(rig.bans()).toEqual(['certificate_chain_too_long']);
  });

  it('is banned for an RSA key over 4096 bits, its own or that of an issuer', async () => {
    await start(known);
    await show(makeCertificate({ commonName: 'agent', key: largeKey, signedWith: SIGNED_WITH.rsaSha256 }));
    await show(chainOf(2, largeKey));
    await until(() => rig.bans().length === 2, 'both banned');
    expect(rig.bans()).toEqual(['rsa_key_too_large', 'rsa_key_too_large']);
  });

  it('is banned for more than 16 KiB before the handshake is done', async () => {
    await start(known);
    await show(forgeChain({ certificates: 120, modulusBits: 2_048, exponentBytes: 3, linked: false }));
    await rig.closed('handshake_too_large');
    expect(rig.bans()).toEqual(['handshake_too_large']);
  });

  it('may send at once after its handshake, in one piece with its end', async () => {
    await start(known);
    rig.allow();
    const client = new RigClient(
      connect({
        socket: corked(connectTcp(rig.port, '127.0.0.1')),
        cert: agent.certPem,
        key: agent.keyPem,
        rejectUnauthorized: false,
      }),
    );
    rig.clients.push(client.socket);
    await once(client.socket, 'secureConnect');
    client.socket.end(`${EVENT}\n`.repeat(5_000));
    await client.closed;
    expect(rig.lines()).toHaveLength(5_000);
    expect(rig.bans()).toEqual([]);
  });

  it('may send its handshake byte by byte', async () => {
    await start(known);
    rig.allow();
    const tcp = connectTcp(rig.port, '127.0.0.1').setNoDelay(true);
    const client = await rig.connect({ socket: inBytes(tcp) });
    client.socket.end(`${EVENT}\n`);
    await client.closed;
    expect(rig.lines()).toEqual([EVENT]);
  });

  it('is let go at once when it is cut before it has said anything', async () => {
    await start(known);
    const tcp = connectTcp(rig.port, '127.0.0.1').on('error', () => undefined);
    tcp.resume();
    await until(() => rig.served.length === 1, 'the connection');
    const begun = performance.now();
    rig.served[0]!.destroy();
    await rig.closed('handshake_failed');
    // The deadline of a handshake is far later.
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('loses nothing that arrived before a reset', async () => {
    await start(known);
    rig.allow();
    const { client, tcp } = await rig.connectOver();
    client.socket.write(`${EVENT}\n`.repeat(100));
    await until(() => rig.lines().length === 100, 'events');
    tcp.resetAndDestroy();
    await rig.closed('reset');
  });
});

describe('an agent of the allowlist', () => {
  it('is closed for its chain and never banned: others may be behind its address', async () => {
    const large = makeCertificate({ commonName: 'agent', key: largeKey, signedWith: SIGNED_WITH.rsaSha256 });
    await start(false, { ...agent, ...large });
    rig.allow();
    await show(large);
    await rig.closed('rsa_key_too_large');
    expect(rig.bans()).toEqual([]);
    expect(rig.context.logger.lines.map(({ message }) => message)).toContain('Client certificate refused');
  });
});

describe('a dear chain of an unknown peer', () => {
  it('is not verified: it ends before its last part is given to TLS', async () => {
    await start(false);
    await show(forgeChain({ certificates: 60, modulusBits: 3_072, exponentBytes: 384 }));
    await rig.closed('handshake_too_large');
  });
});

describe('handshakes that stay in their middle', () => {
  it('give way when an agent from their address waits', async () => {
    await start(false);
    rig.allow();
    const begun = Date.now();
    const halves = Array.from({ length: 40 }, () => halfHandshake(rig.port));
    await until(() => rig.served.length === 40, 'the halves');
    const client = await rig.connect();
    client.socket.end(`${EVENT}\n`);
    await client.closed;
    expect(rig.lines()).toEqual([EVENT]);
    expect(Date.now() - begun).toBeLessThan(9_000);
    expect(
      rig.value('gateway_agent_connections_closed_total', { reason: 'handshake_displaced' }),
    ).toBeGreaterThan(0);
    for (const half of halves) half.destroy();
  }, 15_000);
});

/** Begins a handshake and says nothing more. */
function halfHandshake(port: number): Socket {
  const tcp = connectTcp(port, '127.0.0.1');
  tcp.on('error', () => undefined);
  const mute = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void tcp.write(chunk, () => done()),
  });
  connect({ socket: mute, rejectUnauthorized: false }).on('error', () => undefined);
  return tcp;
}

/** Sends nothing after the first flight for 30 ms, and then all at once: the end of the handshake and what follows it. */
function corked(tcp: Socket): Duplex {
  let first = true;
  const duplex = over(tcp, (chunk, done) => {
    tcp.write(chunk);
    if (first) setTimeout(() => (tcp.cork(), setTimeout(() => tcp.uncork(), 30)), 0);
    first = false;
    done();
  });
  return duplex;
}

function inBytes(tcp: Socket): Duplex {
  return over(tcp, (chunk, done) => {
    void (async () => {
      for (const byte of chunk) {
        tcp.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      done();
    })();
  });
}

function over(tcp: Socket, write: (chunk: Buffer, done: () => void) => void): Duplex {
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => write(chunk, done),
    final: (done) => void tcp.end(() => done()),
  });
  tcp.on('data', (chunk) => duplex.push(chunk));
  tcp.on('error', () => undefined).once('end', () => duplex.push(null));
  tcp.once('close', () => duplex.destroy());
  return duplex;
}
