import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Bytes that a peer may send before its handshake is done. A chain of three certificates over RSA-4096 takes 5 KiB. */
export const MAX_HANDSHAKE_BYTES = 16_384;

/** Header of a TLS record (RFC 8446 5.1): type, version, length. */
const HEADER_BYTES = 5;
const MAX_RECORD_BYTES = 16_384 + 256;
/** Change cipher spec, alert, handshake, application data. */
const RECORD_TYPES = new Set([20, 21, 22, 23]);

/** A peer sent more than `MAX_HANDSHAKE_BYTES` before its handshake was done. */
export class HandshakeTooLarge extends Error {
  override readonly name = 'HandshakeTooLarge';

  constructor() {
    super(`The peer sent more than ${MAX_HANDSHAKE_BYTES} bytes before its handshake was done.`);
  }
}

/**
 * Guards that have something to give to TLS. One of them in a turn of the event loop: what a peer can have calculated at
 * once is one handshake, and streams, timers and the process's own status come in between.
 */
const queue = new Set<() => void>();
let turn: NodeJS.Immediate | undefined;
let pause: NodeJS.Timeout | undefined;
let paced = false;
/** A usual peer's part of a handshake takes 1 to 2 ms. */
const DEAR_MS = 10;
const PAUSE_FACTOR = 4;

function inTurn(job: () => void): void {
  queue.add(job);
  if (pause === undefined) turn ??= setImmediate(next);
}

function next(): void {
  turn = undefined;
  const [job] = queue;
  if (job === undefined || pause !== undefined) return;
  queue.delete(job);
  const began = performance.now();
  job();
  const tookMs = performance.now() - began;
  if (paced && tookMs > DEAR_MS) pause = setTimeout(resume, tookMs * PAUSE_FACTOR);
  else if (queue.size > 0) turn ??= setImmediate(next);
}

function resume(): void {
  pause = undefined;
  next();
}

/**
 * Has handshakes that are dear to verify leave four fifths of the time to others: for a process where known peers stream. Where
 * nobody else is served, they need not wait.
 */
export function paceHandshakes(): void {
  paced = true;
}

/**
 * Stands between a socket and TLS, and counts what comes until the handshake is done. OpenSSL verifies every certificate
 * of a chain before anybody can look at it, which takes 5 ms each when the peer chose the keys for it. So records are
 * given to it whole, and none that would bring the handshake beyond `MAX_HANDSHAKE_BYTES`: the stream is destroyed
 * with `HandshakeTooLarge` instead. Afterwards bytes pass as they come.
 *
 * Emits `begun` when the peer's first bytes are there; they wait for `begin`.
 */
export class HandshakeGuard extends Duplex {
  #begun = false;
  #mayBegin = false;
  #secured = false;
  /** Bytes of the handshake that TLS has. */
  #passed = 0;
  /** What came during the handshake and TLS has not. */
  #held: Buffer = Buffer.alloc(0);
  readonly #turn = (): void => this.#next();
  #rawEnded = false;
  #rawClosed = false;

  /** @param raw nobody else reads it; it is destroyed with this stream, and this stream with it */
  constructor(private readonly raw: Socket) {
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
    raw.on('data', (chunk: Buffer) => this.#came(chunk));
    raw.once('end', () => {
      this.#rawEnded = true;
      if (this.#held.length === 0) this.push(null);
    });
    raw.once('close', () => {
      this.#rawClosed = true;
      if (this.readableLength === 0) this.destroy();
    });
  }

  /** TLS may have the peer's first bytes. Safe twice. */
  begin(): void {
    this.#mayBegin = true;
    this.#later();
  }

  /** The handshake is done: nothing is counted from now on. To be called before the next record is given to TLS. */
  secured(): void {
    this.#secured = true;
  }

  override _read(): void {
    if (this.#rawClosed) this.destroy();
    else this.raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.raw.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.raw.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    queue.delete(this.#turn);
    this.raw.destroy();
    done(error);
  }

  #came(chunk: Buffer): void {
    if (this.#secured && this.#held.length === 0) return this.#pass(chunk);
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.raw.pause();
    if (!this.#begun) {
      this.#begun = true;
      this.emit('begun');
    }
    this.#later();
  }

  #later(): void {
    if (this.#mayBegin && this.#held.length > 0 && !this.destroyed) inTurn(this.#turn);
  }

  /**
   * Gives TLS the whole records that are within the bound; what is beyond it only when the handshake is done by then. That
   * is known in the next turn of the event loop.
   */
  #next(): void {
    const held = this.#held;
    const { whole, next } = this.#secured
      ? { whole: held.length, next: 0 }
      : wholeRecords(held, MAX_HANDSHAKE_BYTES - this.#passed);
    if (whole === 0 && this.#passed + next > MAX_HANDSHAKE_BYTES)
      return void this.destroy(new HandshakeTooLarge());
    this.#held = held.subarray(whole);
    this.#passed += whole;
    if (whole > 0) this.#pass(held.subarray(0, whole));
    if (this.#held.length > 0 && whole > 0) this.#later();
    else if (this.#rawEnded) this.push(null);
    else this.raw.resume();
  }

  #pass(bytes: Buffer): void {
    if (!this.push(bytes)) this.raw.pause();
  }
}

/**
 * How many bytes of the whole TLS records at the start of some bytes are within a bound, and the length of the record after
 * them as far as it is known, bytes. What is no TLS counts as one record: it is for TLS to refuse it.
 */
function wholeRecords(bytes: Buffer, bound: number): { readonly whole: number; readonly next: number } {
  let whole = 0;
  for (;;) {
    const next = recordLength(bytes.subarray(whole));
    const end = whole + next;
    if (next === 0 || end > bytes.length || end > bound) return { whole, next };
    whole = end;
  }
}

/** Length of the record at the start of some bytes, as far as its header says, bytes. */
function recordLength(bytes: Buffer): number {
  const [type] = bytes;
  if (type !== undefined && !RECORD_TYPES.has(type)) return bytes.length;
  if (bytes.length < HEADER_BYTES) return bytes.length === 0 ? 0 : HEADER_BYTES;
  const length = bytes.readUInt16BE(3);
  return length > MAX_RECORD_BYTES ? bytes.length : HEADER_BYTES + length;
}
