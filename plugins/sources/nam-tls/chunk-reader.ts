import type { Socket } from 'node:net';

/** How a stream ended: by the peer in order, by a fault, or because this side stopped reading. */
export type StreamEnd = 'ended' | 'broken' | 'stopped';

/**
 * Reads a socket piece by piece, on demand: what is not asked for stays in the socket's buffer, and when that is full,
 * in the kernel, so that the peer has to wait. What arrived before a reset is still given.
 */
export class ChunkReader {
  #ended = false;
  #closed = false;
  #stopped = false;
  #wake: (() => void) | undefined;

  /** The socket must not have other readers. */
  constructor(private readonly socket: Socket) {
    socket.on('readable', () => this.#wakeUp());
    socket.once('end', () => {
      this.#ended = true;
      this.#wakeUp();
    });
    socket.once('close', () => {
      this.#closed = true;
      this.#wakeUp();
    });
  }

  /** Waits for the next bytes, or says how the stream ended. */
  async next(): Promise<Buffer | StreamEnd> {
    while (!this.#stopped) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.#ended) return 'ended';
      if (this.#closed) return 'broken';
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return 'stopped';
  }

  /** Ends the reading; a `next` that waits now returns at once. */
  stop(): void {
    this.#stopped = true;
    this.#wakeUp();
  }

  /** What has arrived and was not read, as one piece. */
  rest(): Buffer | undefined {
    return (this.socket.read() as Buffer | null) ?? undefined;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
