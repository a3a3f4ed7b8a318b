import { canonicalIp } from './ip.js';

/**
 * The peers that count as one for limits and bans: an IPv4 address, or the /64 network of an IPv6 address, because one
 * host usually has a whole /64. An IPv4-mapped IPv6 address is its IPv4 address. Text that is no address is its own group.
 */
export function addressGroup(address: string): string {
  const canonical = canonicalIp(address);
  if (canonical === undefined) return address;
  return canonical.includes(':') ? networkOf(canonical) : canonical;
}

/** The group that a text names: an address, or a group as `addressGroup` writes it. `undefined` for anything else. */
export function parseAddressGroup(text: string): string | undefined {
  if (canonicalIp(text) !== undefined) return addressGroup(text);
  const [address = '', prefix, ...more] = text.split('/');
  const canonical = canonicalIp(address);
  if (canonical === undefined || more.length > 0) return undefined;
  return prefix === (canonical.includes(':') ? '64' : '32') ? addressGroup(canonical) : undefined;
}

/** The /64 of a canonical IPv6 address. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('::');
  const words = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  // An address in the form ::a.b.c.d writes its last two words as one part.
  const missing = 8 - words.length - rest.length - (address.includes('.') ? 1 : 0);
  const all = [...words, ...Array.from({ length: missing }, () => '0'), ...rest];
  const network = `${all.slice(0, 4).join(':')}::`;
  return `${canonicalIp(network) ?? network}/64`;
}
