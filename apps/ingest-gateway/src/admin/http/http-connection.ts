import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What a connection does, in the order in which connections give way to others: its peer owes a request or the rest of
 * one; it waits for a next request; its peer owes the reading of an answer; the gateway works on an answer.
 */
export const CONNECTION_STATES = ['incomplete', 'idle', 'unread', 'working'] as const;

/** One of `CONNECTION_STATES`. */
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** A connection of the REST API, from its acceptance to its end. */
export class HttpConnection {
  #request: IncomingMessage | undefined;
  #openAnswers = 0;
  #bytesOfAnswered = 0;

  /** @param network what the connections of one client have in common: its IPv4 address, or the /64 of its IPv6 one */
  constructor(
    readonly socket: Socket,
    readonly network: string,
  ) {}

  /** Takes note of a request whose headers are in. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    this.#request = request;
    this.#openAnswers += 1;
    response.once('close', () => {
      this.#openAnswers -= 1;
      this.#bytesOfAnswered = this.socket.bytesRead;
    });
  }

  /** Answers that have begun or are being worked on. */
  get openAnswers(): number {
    return this.#openAnswers;
  }

  /** What it does now. */
  get state(): ConnectionState {
    if (this.#request === undefined || !this.#request.complete) return 'incomplete';
    if (this.socket.writableLength > 0) return 'unread';
    if (this.#openAnswers > 0) return 'working';
    return this.socket.bytesRead > this.#bytesOfAnswered ? 'incomplete' : 'idle';
  }
}
