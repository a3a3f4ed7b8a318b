import { isIPv4, isIPv6, SocketAddress } from 'node:net';

const MAPPED_V4 = '::ffff:';

/**
 * One text for one address, however it was written: IPv4 stays as it is, an IPv4-mapped IPv6 address becomes IPv4,
 * any other IPv6 address gets its shortest form (RFC 5952) and loses its zone. `undefined` when the text is no address.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  if (!isIPv6(address)) return undefined;
  const shortest = new SocketAddress({ address, family: 'ipv6' }).address;
  return shortest.startsWith(MAPPED_V4) && shortest.includes('.')
    ? shortest.slice(MAPPED_V4.length)
    : shortest;
}
