import type { SecureContext } from 'node:tls';
import type {
  ConnectionEnd,
  Listen,
  Listening,
  ListenOptions,
  LiveValue,
  PeerConnection,
  ServedConnection,
} from '../api/index.js';
import { addressGroup } from '../helpers/index.js';
import type { AcceptedConnection, ConnectionFeed, TlsIdentity } from './connection-feed.js';
import { HandshakeGate } from './handshake-gate.js';
import { paceHandshakes } from './handshake-guard.js';
import { HandshakeTurns } from './handshake-turns.js';
import { beginTls, type HandshakeOptions, type TlsSide } from './handshake.js';
import { proofOf } from './peer-proof.js';
import { SecureContextCache } from './secure-context.js';

/** Time kept back from a stop's deadline, so that sockets are gone when it comes, ms. */
const DESTROY_BEFORE_MS = 100;

/** Where a listener gets its connections and its certificate from. */
export interface ListenerParts {
  readonly connections: ConnectionFeed;
  /** `undefined` while there is none: connections that come are closed. */
  readonly tlsIdentity: LiveValue<TlsIdentity | undefined>;
}

/** Makes the `listen` of one reactor. */
export function createListen(parts: ListenerParts): Listen {
  return (options) => new Listener(parts, options);
}

/** Puts TLS on connections, within bounds, and gives them to a source. */
class Listener<Served extends ServedConnection> implements Listening<Served> {
  readonly connections = new Set<Served>();
  readonly #byId = new Map<string, Served>();
  readonly #running = new Set<Promise<void>>();
  readonly #contexts = new SecureContextCache();
  readonly #gate = new HandshakeGate();
  readonly #turns = new HandshakeTurns();
  readonly #leave: () => void;

  constructor(
    private readonly parts: ListenerParts,
    private readonly options: ListenOptions<Served>,
  ) {
    this.#leave = parts.connections.take({
      accept: (connection) => this.#accept(connection),
      closeAll: () => this.#stopAll('stopping'),
      end: (id, reason) => this.#byId.get(id)?.stop(reason),
      silentMs: (id) => this.#byId.get(id)?.silentMs,
    });
  }

  async stop(deadline: number): Promise<void> {
    this.#leave();
    this.#turns.flush();
    this.#stopAll('stopping');
    const open = Promise.all(this.#running);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadline - DESTROY_BEFORE_MS - Date.now()));
    });
    await Promise.race([open, late]);
    clearTimeout(timer);
    for (const each of this.connections) each.destroy();
  }

  #stopAll(reason: ConnectionEnd | 'stopping'): void {
    for (const each of this.connections) each.stop(reason);
  }

  /** Handshakes are watched, but for one at a time of each address from which known peers come. */
  #accept(accepted: AcceptedConnection): void {
    const address = addressGroup(accepted.remoteAddress);
    if (accepted.known !== true) return void this.#serve(accepted, { address, watched: true });
    paceHandshakes();
    this.#turns.take(address, (alone) => {
      const tls = this.#serve(accepted, { address, watched: !alone });
      if (!alone) return;
      if (tls === undefined) this.#turns.leave(address);
      else void tls.secured.then(() => this.#turns.leave(address));
    });
  }

  #serve(
    accepted: AcceptedConnection,
    handshake: Pick<HandshakeOptions, 'address' | 'watched'>,
  ): TlsSide | undefined {
    const { context, error } = this.#secureContext();
    if (context === undefined || accepted.socket.destroyed) {
      accepted.socket.destroy();
      this.#closed(accepted, context === undefined ? 'no_server_certificate' : 'reset', error);
      return undefined;
    }
    const tls = beginTls(accepted.socket, { ...handshake, secureContext: context, gate: this.#gate });
    const running = this.#run(accepted, tls).then(() => void this.#running.delete(running));
    this.#running.add(running);
    return tls;
  }

  /** A fault of the source costs the connection, and nobody else. */
  async #run(accepted: AcceptedConnection, tls: TlsSide): Promise<void> {
    let served: Served | undefined;
    let reason = 'internal_error';
    let failure: unknown;
    try {
      served = this.options.serve(this.#peer(accepted, tls));
      this.connections.add(served);
      this.#byId.set(accepted.id, served);
      reason = await served.run();
    } catch (error) {
      failure = error;
    }
    if (failure !== undefined) {
      tls.socket.destroy();
      await tls.closed;
    }
    if (served !== undefined) this.connections.delete(served);
    this.#byId.delete(accepted.id);
    this.#closed(accepted, reason, failure);
  }

  #peer({ id, remoteAddress, acceptedAt }: AcceptedConnection, tls: TlsSide): PeerConnection {
    const { connections } = this.parts;
    return {
      id,
      remoteAddress,
      acceptedAt,
      socket: tls.socket,
      handshake: tls.secured.then((secured) => proofOf(tls, secured)),
      closed: tls.closed,
      identified: (key) => connections.identified(id, key),
      violated: (reason) => connections.violated(id, reason),
    };
  }

  #closed({ id }: AcceptedConnection, reason: string, error?: unknown): void {
    this.parts.connections.closed(id);
    this.options.closed(reason, error);
  }

  #secureContext(): { readonly context?: SecureContext | undefined; readonly error?: unknown } {
    const identity = this.parts.tlsIdentity.current;
    try {
      return { context: identity && this.#contexts.get(identity) };
    } catch (error) {
      return { error };
    }
  }
}
