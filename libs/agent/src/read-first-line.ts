import { GatewayError } from '@activity-gateway/pipeline/api';
import { LineFramer } from '@activity-gateway/pipeline/helpers';
import type { TLSSocket } from 'node:tls';

const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Sends a message and reads the one line that answers it, then closes the socket, on every path.
 * @returns the line; `undefined` when the peer closed in order without one
 * @throws GatewayError `AGENT_ENROLL_NO_ANSWER`
 */
export function readFirstLine(
  socket: TLSSocket,
  message: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const framer = new LineFramer(MAX_ANSWER_BYTES);
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      // The error listener stays: an error after the answer must not end the process.
      socket.destroy();
      settle();
    };
    const fail = (reason: string): void => finish(() => reject(noAnswer(reason)));
    const onAbort = (): void => fail('it was given up on request');
    const timer = setTimeout(() => fail('none came in time'), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error: Error) => fail(error.message));
    socket.on('data', (chunk: Buffer) => {
      const [line] = framer.push(chunk);
      if (line !== undefined) finish(() => resolve(line.toString('utf8')));
      else if (framer.overflowed) fail('it is too long');
    });
    socket.on('end', () => finish(() => resolve(framer.end()?.toString('utf8'))));
    socket.on('close', () => fail('the connection was closed'));
    socket.write(message);
  });
}

function noAnswer(reason: string): GatewayError {
  return new GatewayError(
    'AGENT_ENROLL_NO_ANSWER',
    `The gateway did not answer the enrollment: ${reason}.`,
    'Try again after the ban time; the log of the gateway says why.',
  );
}
