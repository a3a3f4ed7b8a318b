import { isIPv6 } from 'node:net';

/** IPv6 addresses kept in binary; few agents have one, and a full cache begins anew. */
const CACHED_ADDRESSES = 4096;
const DOT = 0x2e;
const ZERO = 0x30;
const LENGTH = 16;

const cache = new Map<string, Uint8Array>();

/**
 * Writes an address as 16 bytes, IPv4 as `::ffff:a.b.c.d`. What is no address becomes `::`.
 * @param text   as `coerceIp` and `canonicalIp` give it
 * @param target holds zeros there: to clear each row by itself takes as long as the rest
 */
export function writeIp(text: string, target: Uint8Array, offset: number): void {
  if (writeIPv4(text, target, offset)) return;
  let bytes = cache.get(text);
  if (bytes === undefined) {
    bytes = parseIPv6(text);
    if (cache.size >= CACHED_ADDRESSES) cache.clear();
    cache.set(text, bytes);
  }
  target.set(bytes, offset);
}

/** Returns whether the text was dotted decimal; otherwise the target's last 4 bytes hold nothing to rely on. */
function writeIPv4(text: string, target: Uint8Array, offset: number): boolean {
  const { length } = text;
  if (length < 7 || length > 15) return false;
  let at = offset + 12;
  let octet = 0;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === DOT) {
      target[at++] = octet;
      octet = 0;
    } else {
      const digit = unit - ZERO;
      if (digit < 0 || digit > 9) return false;
      octet = octet * 10 + digit;
    }
  }
  if (at !== offset + 15) return false;
  target[at] = octet;
  target[offset + 10] = 0xff;
  target[offset + 11] = 0xff;
  return true;
}

function parseIPv6(text: string): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  if (!isIPv6(text) || text.includes('%')) return bytes;
  const gap = text.indexOf('::');
  const head = groupsOf(gap === -1 ? text : text.slice(0, gap));
  const tail = gap === -1 ? [] : groupsOf(text.slice(gap + 2));
  bytes.set(head, 0);
  bytes.set(tail, LENGTH - tail.length);
  return bytes;
}

/** Bytes of groups between colons; the last one may be dotted decimal. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
