import type { Socket } from 'node:net';

/** How long a closing socket may take to send what is left, ms. */
const CLOSE_MS = 1_000;
/** How long the peer has to take the answer to its enrollment, ms. */
const ANSWER_MS = 2_000;

/** Ends a socket in order, and cuts it if that takes too long. */
export function endSoon(socket: Socket): void {
  socket.destroySoon();
  destroyLater(socket, CLOSE_MS);
}

/**
 * Sends the last line, if there is one, and lets the peer take what it was sent: closing a socket that has unread data
 * would reset the connection under the answer.
 * @param discarded told the size of what the peer sent that nobody reads, bytes
 */
export function endWith(socket: Socket, line: string | undefined, discarded: (bytes: number) => void): void {
  const discard = (): void => discarded((socket.read() as Buffer | null)?.length ?? 0);
  if (line === undefined) socket.end();
  else socket.end(line);
  socket.on('readable', discard);
  discard();
  destroyLater(socket, ANSWER_MS);
}

function destroyLater(socket: Socket, ms: number): void {
  if (socket.closed) return;
  const timer = setTimeout(() => socket.destroy(), ms);
  socket.once('close', () => clearTimeout(timer));
}
