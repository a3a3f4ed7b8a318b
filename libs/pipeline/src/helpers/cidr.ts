import { BlockList } from 'node:net';
import { canonicalIp } from './ip.js';

/** A network: an address and how many of its leading bits count. */
export interface Cidr {
  /** Canonical; IPv4-mapped networks are IPv4. */
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const MAPPED_BITS = 96;

/** Reads a network in CIDR form; an address alone is a network of one. `undefined` for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const given = match?.[1] ?? '';
  const address = given.includes('%') ? undefined : canonicalIp(given);
  if (address === undefined) return undefined;
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const bits = family === 'ipv6' ? 128 : 32;
  const offset = family === 'ipv4' && given.includes(':') ? MAPPED_BITS : 0;
  const prefix = match?.[2] === undefined ? bits : Number(match[2]) - offset;
  return prefix >= 0 && prefix <= bits ? { address, prefix, family } : undefined;
}

/** The entries of a list, or of a text with commas or spaces between them; unread. */
export function entriesOf(list: string | readonly string[]): readonly string[] {
  return typeof list === 'string' ? list.split(/[\s,]+/).filter((each) => each !== '') : list;
}

/** A set of networks. */
export class CidrList {
  readonly #list = new BlockList();

  /**
   * @param networks in CIDR form
   * @throws RangeError for a text that is no network
   */
  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const cidr = parseCidr(text);
      if (cidr === undefined) throw new RangeError(`${text} is not a network in CIDR form.`);
      this.#list.addSubnet(cidr.address, cidr.prefix, cidr.family);
    }
  }

  /** Whether an address, in canonical form, is in one of the networks. */
  has(address: string): boolean {
    return this.#list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  }
}
