import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { addressGroup } from '@activity-gateway/pipeline/host';
import type { RequestRates } from '../../dependencies.js';
import { addressOf } from './caller.js';
import { createProblem } from './problem.js';
import { sendProblem } from './problem.filter.js';

/** The rates of the REST API. */
export const REQUEST_RATES: RequestRates = { key: 2_000, failed: 100, open: 2_000, windowMs: 10_000 };

/** What a request counts as. */
export type RequestKind = 'key' | 'failed' | 'open';

type Limiter = ReturnType<FastifyInstance['createRateLimit']>;

/**
 * Limits requests once it is known whose they are: those with a valid key by that key, the others by address. So those
 * that fail cost only whoever sends them, and a valid key works from an address that is over its limit.
 */
export class RequestLimits {
  private constructor(private readonly limiters: Readonly<Record<RequestKind, Limiter>>) {}

  /** Adds the limits to an instance. */
  static async create(instance: FastifyInstance, rates: Partial<RequestRates> = {}): Promise<RequestLimits> {
    await instance.register(rateLimit, { global: false });
    const { windowMs, ...max } = { ...REQUEST_RATES, ...rates };
    const limiter = (kind: RequestKind, keyGenerator: (request: FastifyRequest) => string): Limiter =>
      instance.createRateLimit({ max: max[kind], timeWindow: windowMs, keyGenerator });
    return new RequestLimits({
      key: limiter('key', ({ caller }) => caller?.id ?? ''),
      failed: limiter('failed', groupOf),
      open: limiter('open', groupOf),
    });
  }

  /** Counts a request. Whether it may go on; it has been answered when not. */
  async admit(kind: RequestKind, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const limit = await this.limiters[kind](request);
    if (limit.isAllowed || !limit.isExceeded) return true;
    const seconds = Math.max(1, limit.ttlInSeconds);
    const whose = kind === 'key' ? 'with your key' : 'from your address';
    const detail = `Too many requests ${whose}: try again in ${seconds} s.`;
    void reply.header('retry-after', String(seconds));
    sendProblem(reply, createProblem(429, 'TOO_MANY_REQUESTS', detail, request.url));
    return false;
  }
}

function groupOf(request: FastifyRequest): string {
  return addressGroup(addressOf(request));
}
