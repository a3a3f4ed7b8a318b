import { randomBytes } from 'node:crypto';
import type { AcceptedConnection, DrainReport } from '@activity-gateway/pipeline/host';
import type { ReactorHandle } from './reactor-handle.js';
import type { ListenerStatus } from './types.js';
import { WaitingConnections } from './waiting-connections.js';
import type { WatchdogLimits } from './watchdog.js';

/** Index of the lobby among the reactors, where an index is asked for. */
export const LOBBY_INDEX = -1;

/** Share of what the spools of a pipeline may take that is kept for the lobby. */
export const LOBBY_SPOOL_SHARE = 1 / 8;

/** The lobby runs at low priority: beside busy reactors it may be late by far and still work. */
export const LOBBY_WATCHDOG: WatchdogLimits = { tickMs: 1_000, warnTicks: 60, killTicks: 300 };

/** How long a connection waits for a lobby that is being started, ms. */
const HOLD_MS = 10_000;

/** What a lobby is made from. */
export interface LobbyDependencies {
  /** Makes its slot, when it is first needed; the lobby starts it. */
  slot(): ReactorHandle;
  /** Told of a connection that waited in vain. */
  refuse(connection: AcceptedConnection): void;
  /** The slot was made: shares have to be dealt again. */
  started(): void;
}

/**
 * The reactor for peers from addresses where no agent was seen lately. A handshake costs what the peer chooses, within
 * bounds, and the peer needs no right to begin one: so it takes place where no agent waits for it. The process starts with
 * the first such connection.
 */
export class Lobby {
  /**
   * Name of its spools, another one in each run of the gateway: those of earlier runs are orphans, which reactors write out,
   * however long that takes.
   */
  readonly spoolSlot = `lobby-${randomBytes(4).toString('hex')}`;
  readonly #waiting: WaitingConnections;
  #slot: ReactorHandle | undefined;
  #stopped = false;

  constructor(private readonly dependencies: LobbyDependencies) {
    this.#waiting = new WaitingConnections(HOLD_MS, (connection) => dependencies.refuse(connection));
  }

  /** Its slot, once it was needed. */
  get slots(): readonly ReactorHandle[] {
    return this.#slot === undefined ? [] : [this.#slot];
  }

  /** Serves a connection, as soon as the process is there. */
  dispatch(connection: AcceptedConnection): void {
    if (this.#stopped) return this.dependencies.refuse(connection);
    if (this.#slot === undefined) {
      this.#slot = this.dependencies.slot();
      this.#slot.start();
      this.dependencies.started();
    }
    const { ready } = this.#slot;
    if (ready === undefined) this.#waiting.add(connection);
    else ready.forward(connection);
  }

  /** To be called when its process is ready. */
  ready(): void {
    for (const connection of this.#waiting.takeAll()) this.dispatch(connection);
  }

  /** Refuses a connection that waits; whether it did. */
  refuseOne(id: string): boolean {
    return this.#waiting.refuseOne(id);
  }

  /** Refuses all connections that wait. */
  refuseWaiting(): void {
    this.#waiting.close();
  }

  /** What operators see; `undefined` while it was not needed. */
  view(): ListenerStatus['lobby'] {
    if (this.#slot === undefined) return undefined;
    const { index: _index, ...view } = this.#slot.view();
    return view;
  }

  /** Drains it until the deadline, ms since 1970-01-01 UTC, and ends it. */
  async stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#stopped = true;
    this.#waiting.close();
    return (await this.#slot?.stop(deadline)) ?? [];
  }
}
