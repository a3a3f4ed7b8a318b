import type { Readable } from 'node:stream';

/** How much of an answer's body is read, and for how long. */
export interface BodyLimits {
  /** A longer body is cut off here. */
  readonly maxBytes: number;
  /** Longest time for the whole body, ms; a peer that sends a byte now and then does not extend it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What was read of a body. */
export interface Body {
  readonly bytes: Buffer;
  /** Whether that is all of it; otherwise the connection was destroyed. */
  readonly whole: boolean;
}

/**
 * Reads the body of an HTTP answer, whatever the peer does: an endless one is cut off, a slow one ends with an error.
 * @throws Error with the code `TIMEOUT` or `ABORTED`, or what the connection broke with, also when the body is cut short
 */
export async function readBody(stream: Readable, limits: BodyLimits): Promise<Body> {
  const { maxBytes, timeoutMs, signal } = limits;
  const give = (code: string, message: string): void => void stream.destroy(failure(code, message));
  const abort = (): void => give('ABORTED', 'The request was given up.');
  const timer = setTimeout(give, timeoutMs, 'TIMEOUT', `The answer took longer than ${timeoutMs} ms.`);
  signal.addEventListener('abort', abort, { once: true });
  // What breaks after the body was read concerns nobody, and must not end the process.
  stream.on('error', () => undefined);
  if (signal.aborted) abort();
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      chunks.push(bytes);
      size += bytes.length;
      if (size > maxBytes) return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), whole: false };
    }
    return { bytes: Buffer.concat(chunks), whole: true };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** Control, format and separator characters, and what is no UTF-8: they could forge lines of a log or hide text. */
const UNPRINTABLE = /[\p{C}\p{Z}\uFFFD]+/gu;

/** The beginning of what a peer has sent, for logs and states: one printable line of at most `max` characters. */
export function excerpt(bytes: Uint8Array, max = 160): string {
  // Four bytes a character at most; what is cut in the middle of one is dropped as unprintable.
  const text = Buffer.from(bytes.subarray(0, max * 4)).toString('utf8');
  const line = text.replace(UNPRINTABLE, ' ').trim();
  const characters = [...line];
  if (characters.length > max) return `${characters.slice(0, max).join('')}…`;
  return bytes.length > max * 4 ? `${line}…` : line;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
