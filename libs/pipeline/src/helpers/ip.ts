import { isIPv4, isIPv6 } from 'node:net';

const MAPPED_V4 = /^(?:0*:)*:?(?:0*:)*ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;
const MAPPED_V4_HEX = /^(?:0*:)*:?(?:0*:)*ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;

/**
 * One text for one address: IPv4 stays as it is, an IPv4-mapped IPv6 address becomes IPv4, any other IPv6 address is
 * lower-cased and loses its zone. `undefined` when the text is no address.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  if (!isIPv6(address)) return undefined;
  const dotted = MAPPED_V4.exec(address)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = MAPPED_V4_HEX.exec(address);
  if (hex !== null) {
    const high = Number.parseInt(hex[1] ?? '0', 16);
    const low = Number.parseInt(hex[2] ?? '0', 16);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  return address.toLowerCase();
}
