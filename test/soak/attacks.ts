import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createSecureContext, type SecureContext } from 'node:tls';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { forgeChain } from '../support/certificates.js';

/** What a peer without a key on the allowlist can do to a listener. */
export const ATTACKS = {
  /** 80 KB chains over RSA keys with the dearest exponents. */
  chains: 'chains of 80 KB',
  /** The same within the bound of a handshake: no ban follows. */
  'short-chains': 'chains of 15 KB',
  /** The first message of a handshake, sent again and again. */
  replays: 'replayed ClientHellos',
  /** Handshakes that stop in their middle. */
  halves: 'half handshakes',
} as const;

/** Name of an attack. */
export type Attack = keyof typeof ATTACKS;

/** Connections of one attack at a time. */
const AT_A_TIME = 40;
/** How long one connection may take, ms. */
const CONNECTION_MS = 10_000;
/** Pause of a connection that was refused, ms. */
const REFUSED_MS = 20;

/** Runs one attack from one address, as fast as it can, until it is stopped. */
export class Attacker {
  /** Connections made since the start. */
  made = 0;
  #stopped = false;
  readonly #open = new Set<Socket>();

  constructor(
    private readonly attack: Attack,
    private readonly target: { readonly port: number; readonly from: string },
  ) {}

  /** Attacks until `stop`. */
  async run(): Promise<void> {
    const act = await this.#prepare();
    await Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        while (!this.#stopped) await this.#attempt(act);
      }),
    );
  }

  /** Ends all connections. */
  stop(): void {
    this.#stopped = true;
    for (const socket of this.#open) socket.destroy();
  }

  async #attempt(act: (tcp: Socket) => void): Promise<void> {
    const { port, from } = this.target;
    const tcp = connectTcp({ host: '127.0.0.1', port, localAddress: from });
    this.#open.add(tcp);
    tcp.on('error', () => undefined);
    const timer = setTimeout(() => tcp.destroy(), CONNECTION_MS);
    const began = performance.now();
    tcp.once('connect', () => {
      this.made += 1;
      act(tcp);
    });
    await new Promise((resolve) => tcp.once('close', resolve));
    clearTimeout(timer);
    this.#open.delete(tcp);
    if (performance.now() - began < REFUSED_MS) await sleep(REFUSED_MS);
  }

  async #prepare(): Promise<(tcp: Socket) => void> {
    switch (this.attack) {
      case 'chains':
        return showing(forgeChain({ certificates: 64, modulusBits: 3_072, exponentBytes: 384 }));
      case 'short-chains':
        return showing(forgeChain({ certificates: 11, modulusBits: 3_072, exponentBytes: 384 }));
      case 'halves':
        return halving();
      case 'replays': {
        const hello = await clientHello();
        return (tcp) => {
          tcp.write(hello);
          tcp.once('data', () => tcp.destroy());
        };
      }
    }
  }
}

function showing({ certPem, keyPem }: { certPem: string; keyPem: string }): (tcp: Socket) => void {
  const secureContext = createSecureContext({ cert: certPem, key: keyPem });
  return (tcp) => {
    const socket = connect({ socket: tcp, secureContext, rejectUnauthorized: false });
    socket.on('error', () => tcp.destroy()).on('close', () => tcp.destroy());
    socket.resume();
  };
}

function halving(): (tcp: Socket) => void {
  return (tcp) => {
    tcp.resume();
    mute((first) => tcp.write(first));
  };
}

async function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => mute(resolve, createSecureContext({ ecdhCurve: 'P-384' })));
}

/** Makes the first message of a handshake; nothing else is ever said. */
function mute(take: (first: Buffer) => void, secureContext?: SecureContext): void {
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      take(chunk);
      done();
    },
  });
  const options = { socket, rejectUnauthorized: false };
  connect(secureContext === undefined ? options : { ...options, secureContext }).on('error', () => undefined);
}
