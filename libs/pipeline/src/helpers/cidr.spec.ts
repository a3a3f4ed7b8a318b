import { describe, expect, it } from '@jest/globals';
import { CidrList, parseCidr } from './cidr.js';

describe('CidrList', () => {
  it('holds networks of both families, single addresses, and IPv4-mapped ones as IPv4', () => {
    const list = new CidrList(['192.0.2.0/24', '2001:db8::/32', '198.51.100.1', '::ffff:10.0.0.0/104']);
    const inside = ['192.0.2.255', '2001:db8:ffff::1', '198.51.100.1', '10.255.0.1'];
    const outside = ['192.0.3.0', '2001:db9::1', '198.51.100.2', '11.0.0.1', '::1', 'no address'];
    expect(inside.filter((address) => !list.has(address))).toEqual([]);
    expect(outside.filter((address) => list.has(address))).toEqual([]);
    expect(new CidrList(['0.0.0.0/0']).has('203.0.113.9')).toBe(true);
  });

  it.each([
    '',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '2001:db8::/129',
    '192.0.2/24',
    'host',
    '192.0.2.0/24 ',
    'fe80::%1/64',
  ])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeUndefined();
    expect(() => new CidrList([text])).toThrow(RangeError);
  });
});
