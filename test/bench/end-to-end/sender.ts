import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { AgentCredentials } from '../../support/raw-agent.js';
import type { LineCorpus } from './corpora.js';

/** How much is written at a time; the kernel's buffer of a loopback connection holds several of these. */
const PIECE_BYTES = 256 * 1024;

/** A receiver that is stuck must not keep the benchmark. */
const CLOSE_MS = 10_000;

/** One connection of the generator: sends the lines of a corpus over and over, as bytes that were made before. */
export class Sender {
  /** Events handed to the socket. */
  sent = 0;
  bytes = 0;
  #error: Error | undefined;
  #at: number;

  private constructor(
    readonly socket: TLSSocket,
    private readonly corpus: LineCorpus,
    start: number,
  ) {
    this.#at = start % corpus.ends.length;
    socket.on('error', (error: Error) => (this.#error = error));
    socket.on('close', () => (this.#error ??= new Error('The receiver has closed the connection.')));
    socket.resume();
  }

  /**
   * Connects with TLS 1.3 and a client certificate.
   * @param start first line that is sent; connections begin at different ones
   */
  static async open(
    port: number,
    agent: AgentCredentials,
    corpus: LineCorpus,
    start: number,
  ): Promise<Sender> {
    const socket = connect({
      host: '127.0.0.1',
      port,
      cert: agent.certPem,
      key: agent.keyPem,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    return new Sender(socket, corpus, start);
  }

  /** Sends large pieces of whole lines until the time (`performance.now`) is over; each waits until the kernel has taken the one before. */
  async flood(until: number): Promise<void> {
    while (performance.now() < until) await this.#written(this.#take(this.#eventsOfPiece()));
  }

  /** Hands so many events to the socket, whatever waits in it already: what is late shows as latency. */
  push(events: number): void {
    for (let left = events; left > 0;) {
      const count = Math.min(left, this.corpus.ends.length - this.#at);
      this.socket.write(this.#take(count));
      left -= count;
    }
  }

  /** Rethrows what has broken the connection. */
  check(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** Ends the stream and waits until the other side has ended it too, for a while. */
  async close(): Promise<void> {
    if (this.socket.closed) return;
    const closed = once(this.socket, 'close');
    this.socket.end();
    const timer = setTimeout(() => this.socket.destroy(), CLOSE_MS);
    await closed;
    clearTimeout(timer);
  }

  #written(piece: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const closed = (): void => reject(this.#error ?? new Error('closed'));
      this.socket.once('close', closed);
      this.socket.write(piece, (error) => {
        this.socket.off('close', closed);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  #eventsOfPiece(): number {
    const { bytes, ends } = this.corpus;
    const events = Math.max(1, Math.floor((PIECE_BYTES * ends.length) / bytes.length));
    return Math.min(events, ends.length - this.#at);
  }

  #take(count: number): Buffer {
    const { bytes, ends } = this.corpus;
    const from = this.#at === 0 ? 0 : (ends[this.#at - 1] as number);
    const piece = bytes.subarray(from, ends[this.#at + count - 1]);
    this.#at = (this.#at + count) % ends.length;
    this.sent += count;
    this.bytes += piece.length;
    return piece;
  }
}
