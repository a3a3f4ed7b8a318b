import { canonicalIp } from './ip.js';

const MAX_HOST_LENGTH = 253;
const BRACKETED = /^\[([^\]]+)\](?::\d{0,5})?$/;
const NAMED = /^([a-z0-9_]([a-z0-9._-]*[a-z0-9_])?)\.?(?::\d{0,5})?$/;

/**
 * One text for one host, however the header Host, a URL or a person writes it: lower case, without port, without the
 * root's dot, IPv6 in its shortest form without brackets and zone. `undefined` for text that names no host.
 */
export function canonicalHost(text: string): string | undefined {
  const lower = text.trim().toLowerCase();
  const address = canonicalIp(lower) ?? canonicalIp(decodedZone(BRACKETED.exec(lower)?.[1] ?? ''));
  if (address !== undefined) return address;
  const name = NAMED.exec(lower)?.[1];
  return name === undefined || name.length > MAX_HOST_LENGTH ? undefined : (canonicalIp(name) ?? name);
}

/** URLs write the `%` before a zone as `%25` (RFC 6874). */
function decodedZone(address: string): string {
  return address.replace('%25', '%');
}
