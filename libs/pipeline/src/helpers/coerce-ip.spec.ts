import { isIPv4 } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { coerceIp, readIp } from './coerce-ip.js';

describe('readIp', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5', false],
    [' 10.0.0.5 ', '10.0.0.5', false],
    ['::ffff:10.11.0.229', '10.11.0.229', false],
    ['ffff:10.11.0.229', '10.11.0.229', false],
    ['FFFF:10.11.0.229', '10.11.0.229', false],
    ['ffff:10.11.0.300', null, true],
    ['fffe:10.11.0.229', null, true],
    ['2001:DB8:0::5', '2001:db8::5', false],
    ['[2001:db8::5]', '2001:db8::5', false],
    ['[2001:db8::5]:443', '2001:db8::5', true],
    ['[::ffff:10.0.0.5]:443', '10.0.0.5', true],
    ['10.0.0.5:49152', '10.0.0.5', true],
    ['fe80::1%eth0', 'fe80::1', true],
    ['[fe80::1%12]:445', 'fe80::1', true],
    ['', null, false],
    ['   ', null, false],
    [null, null, false],
    [undefined, null, false],
    ['localhost', null, true],
    ['999.1.1.1', null, true],
    ['10.0.0.5:', null, true],
    ['10.0.0.5:123456', null, true],
    ['[10.0.0.5', null, true],
    ['[localhost]:80', null, true],
    ['x'.repeat(100_000), null, true],
    [42, null, true],
    [{}, null, true],
  ])('reads %.40j as %s, with more to keep: %s', (value, address, rest) => {
    // Twice, because the second answer comes from the cache.
    expect(readIp(value)).toEqual({ address, rest });
    expect(readIp(value)).toEqual({ address, rest });
    expect(coerceIp(value)).toBe(address);
  });

  it('takes for plain IPv4 what node:net does', () => {
    const octet = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map(String),
      fc.constantFrom('', '00', '01', '1a', ' 1'),
    );
    const dotted = fc.array(octet, { minLength: 3, maxLength: 5 }).map((octets) => octets.join('.'));
    fc.assert(
      fc.property(dotted, (text) => {
        if (isIPv4(text)) expect(readIp(text)).toEqual({ address: text, rest: false });
        else if (text.trim() !== '' && !isIPv4(text.trim())) expect(readIp(text).address).toBeNull();
      }),
    );
  });

  it('stays right when more addresses come than it remembers', () => {
    for (let index = 0; index < 70_000; index += 1) {
      const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
      if (coerceIp(address) !== address) throw new Error(`${address} was misread`);
    }
    expect(coerceIp('10.0.0.0')).toBe('10.0.0.0');
    for (let index = 0; index < 30_000; index += 1) {
      const address = `2001:db8::${(index + 1).toString(16)}`;
      if (coerceIp(`[${address}]`) !== address) throw new Error(`${address} was misread`);
    }
    expect(coerceIp('[2001:db8::1]')).toBe('2001:db8::1');
  });
});
