import type { Socket } from 'node:net';
import type { FromReactor, ToReactor } from './messages.js';

/** Receives what the control plane says; a `connection` comes with its socket. */
export type PortListener = (message: ToReactor, socket: Socket | undefined) => void;

/** The reactor's end of its channel to the control plane. A test may join both ends in one process. */
export interface Port {
  /** Never throws; what is sent over a lost channel is gone. */
  send(message: FromReactor): void;
  onMessage(listener: PortListener): void;
  /** Called once when the control plane is gone. */
  onLost(listener: () => void): void;
  /** Resolves when all that was sent so far has left this process, or the channel is lost. */
  flushed(): Promise<void>;
}

/** The IPC channel that a forked process has. */
export class ProcessPort implements Port {
  #last: Promise<void> = Promise.resolve();

  /** @param channel the global `process` of a process made by `fork` */
  constructor(private readonly channel: NodeJS.Process = process) {}

  send(message: FromReactor): void {
    if (!this.channel.connected) return;
    this.#last = new Promise((resolve) => {
      // With a callback, a channel that broke meanwhile is no event of its own; `onLost` tells.
      this.channel.send?.(message, undefined, undefined, () => resolve());
    });
  }

  onMessage(listener: PortListener): void {
    this.channel.on('message', (message, handle) =>
      listener(message as ToReactor, handle as Socket | undefined),
    );
  }

  onLost(listener: () => void): void {
    if (this.channel.connected) this.channel.once('disconnect', listener);
    else listener();
  }

  async flushed(): Promise<void> {
    const lost = new Promise<void>((resolve) => this.onLost(resolve));
    await Promise.race([this.#last, lost]);
  }
}
