import { describe, expect, it } from '@jest/globals';
import { canonicalIp } from './ip.js';

describe('canonicalIp', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['::ffff:10.0.0.5', '10.0.0.5'],
    ['::FFFF:0a00:0005', '10.0.0.5'],
    ['0:0:0:0:0:ffff:10.0.0.5', '10.0.0.5'],
    ['0000:0000:0000:0000:0000:ffff:0:0', '0.0.0.0'],
    ['0:0:0:0:0:ffff::', '0.0.0.0'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:10.0.0.5%3', '10.0.0.5'],
    ['::', '::'],
    ['::1', '::1'],
    ['1:2:3:4:5:ffff:1.2.3.4', '1:2:3:4:5:ffff:102:304'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ])('writes %s as %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it.each([
    '',
    'localhost',
    '256.1.1.1',
    '010.0.0.1',
    '1.2.3',
    '1.2.3.4:80',
    '[::1]',
    '::1::',
    ' ::1',
    '1.2.3.4%1',
    'gg::',
  ])('takes %j for no address', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });
});
