import { describe, expect, it } from '@jest/globals';
import { canonicalHost } from './host.js';

describe('canonicalHost', () => {
  it.each([
    ['localhost', 'localhost'],
    ['LocalHost:8080', 'localhost'],
    ['localhost.', 'localhost'],
    ['Gateway.Example.com.:443', 'gateway.example.com'],
    ['gateway:', 'gateway'],
    ['127.0.0.1:8080', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[::1]:8080', '::1'],
    ['::1', '::1'],
    ['[0:0:0:0:0:0:0:1]:1', '::1'],
    ['[::ffff:127.0.0.1]:1', '127.0.0.1'],
    ['[fe80::1%25eth0]:8080', 'fe80::1'],
    ['[fe80::1%eth0]', 'fe80::1'],
    ['my_host-1', 'my_host-1'],
  ])('reads %s as %s', (text, host) => {
    expect(canonicalHost(text)).toBe(host);
  });

  it.each([
    '',
    ' ',
    '[',
    '[]',
    '[::1',
    '::1]',
    'a b',
    'a/b',
    'user@localhost',
    'localhost:x',
    'localhost:8080:1',
  ])('takes %j for no host', (text) => {
    expect(canonicalHost(text)).toBeUndefined();
  });
});
