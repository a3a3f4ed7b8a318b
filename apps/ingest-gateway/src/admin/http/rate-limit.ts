import type { FastifyReply, FastifyRequest } from 'fastify';
import { KeyedBuckets, type Rate } from '../../limits/index.js';
import { addressOf } from './caller.js';
import { createProblem } from './problem.js';
import { sendProblem } from './problem.filter.js';

/** Requests that one client address may make. */
export const REQUEST_RATE: Rate = { perSecond: 200, burst: 2_000 };
/** What a wrong key costs, in requests: guessing gets slow. */
const WRONG_KEY_COST = 20;

/** Limits requests by client address; behind a proxy that is the proxy's, so the rate leaves room for many users. */
export class RequestLimits {
  readonly #buckets: KeyedBuckets;

  /** @param now milliseconds; only differences count */
  constructor(rate: Rate = REQUEST_RATE, now?: () => number) {
    this.#buckets = new KeyedBuckets(rate, undefined, now);
  }

  /** Whether the request may go on; it has been answered when not. */
  admit(request: FastifyRequest, reply: FastifyReply): boolean {
    const seconds = Math.ceil(this.#buckets.of(addressOf(request)).take());
    if (seconds === 0) return true;
    const detail = `Too many requests from your address: try again in ${seconds} s.`;
    void reply.header('retry-after', String(seconds));
    sendProblem(reply, createProblem(429, 'TOO_MANY_REQUESTS', detail, request.url));
    return false;
  }

  /** To be called for a request whose key is wrong. */
  wrongKey(request: FastifyRequest): void {
    this.#buckets.of(addressOf(request)).charge(WRONG_KEY_COST);
  }
}
