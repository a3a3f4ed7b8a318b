import { describe, expect, it } from '@jest/globals';
import { Bans } from './bans.js';

describe('Bans', () => {
  it('takes an IPv4-mapped IPv6 address and its IPv4 form for one', () => {
    const bans = new Bans();
    bans.add('::ffff:10.0.0.1', 1_000, 'protocol_violation');
    expect(bans.find('10.0.0.1')).toMatchObject({ ip: '10.0.0.1', reason: 'protocol_violation' });
    expect(bans.find('::ffff:a00:1')).toBeDefined();
    expect(bans.find('10.0.0.2')).toBeUndefined();
  });

  it('ends bans by themselves, and begins them anew', () => {
    let now = 1_000;
    const bans = new Bans(undefined, 10, () => now);
    bans.add('10.0.0.1', 500, 'a');
    now = 1_400;
    bans.add('10.0.0.1', 500, 'b');
    now = 1_600;
    expect(bans.list()).toEqual([{ ip: '10.0.0.1', until: 1_900, reason: 'b' }]);
    now = 1_900;
    expect(bans.find('10.0.0.1')).toBeUndefined();
    expect(bans.list()).toEqual([]);
  });

  it('can be lifted', () => {
    const bans = new Bans();
    bans.add('10.0.0.1', 1_000, 'a');
    expect(bans.lift('::ffff:10.0.0.1')).toBe(true);
    expect(bans.lift('10.0.0.1')).toBe(false);
  });

  it('holds a bounded number: ended ones give way first, then the oldest', () => {
    let now = 0;
    let active = 0;
    const bans = new Bans({ set: (value) => (active = value) }, 3, () => now);
    bans.add('10.0.0.1', 1_000, 'a');
    bans.add('10.0.0.2', 10, 'a');
    bans.add('10.0.0.3', 1_000, 'a');
    now = 10;
    bans.add('10.0.0.4', 1_000, 'a');
    bans.add('10.0.0.5', 1_000, 'a');
    expect(bans.list().map((ban) => ban.ip)).toEqual(['10.0.0.3', '10.0.0.4', '10.0.0.5']);
    expect(active).toBe(3);
  });
});
