import type { FastifyReply, FastifyRequest } from 'fastify';
import { canonicalHost } from '@activity-gateway/pipeline/helpers';
import { createProblem } from './problem.js';
import { sendProblem } from './problem.filter.js';

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];

/**
 * The hosts that requests may name. A web page can have a name of its own point to this machine (DNS rebinding) and is
 * then taken by its browser for a page of the gateway; the name that such a request carries gives it away.
 */
export class AllowedHosts {
  readonly #hosts: ReadonlySet<string | undefined>;

  /**
   * @param own        `http.host`
   * @param configured `http.allowed_hosts`
   */
  constructor(own: string, configured: readonly string[]) {
    this.#hosts = new Set([...LOCAL_HOSTS, own, ...configured].map(canonicalHost));
    (this.#hosts as Set<undefined>).delete(undefined);
  }

  /** Whether the request may go on; it has been answered when not. */
  admit(request: FastifyRequest, reply: FastifyReply): boolean {
    const named = hostsOf(request);
    if (named.length > 0 && named.every((host) => this.#hosts.has(canonicalHost(host)))) return true;
    const what = named.length === 0 ? 'no host' : 'a host that this gateway does not answer to';
    const detail = `The request names ${what} (header Host): add the name that clients use to the option http.allowed_hosts of gateway.yaml (GATEWAY_HTTP_ALLOWED_HOSTS).`;
    sendProblem(reply, createProblem(421, 'MISDIRECTED_REQUEST', detail, request.url));
    return false;
  }
}

/** What every header Host says, and the target where it is a whole URL. Forwarding headers say nothing here. */
function hostsOf({ raw }: FastifyRequest): string[] {
  const hosts = raw.rawHeaders.filter(
    (_, index, all) => index % 2 === 1 && /^host$/i.test(all[index - 1] ?? ''),
  );
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(raw.url ?? '')?.[1];
  return authority === undefined ? hosts : [...hosts, authority];
}
