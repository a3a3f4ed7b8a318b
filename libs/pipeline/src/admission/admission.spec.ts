import { beforeEach, describe, expect, it } from '@jest/globals';
import { createRecordingLogger, createRecordingMetrics } from '../testing/index.js';
import { Admission } from './admission.js';
import type { AdmissionOptions } from './types.js';

const HOUR = 3_600_000;

describe('Admission', () => {
  let now: number;
  let cut: string[];
  let ended: [id: string, reason: string][];
  let silences: Map<string, number>;
  let admission: Admission;
  const metrics = createRecordingMetrics();
  const logger = createRecordingLogger();

  function make(change: Partial<AdmissionOptions> = {}): Admission {
    return new Admission({
      limits: { maxConnections: 100, penaltyMs: 10_000, unidentifiedMs: 60_000 },
      logger,
      metrics,
      cut: (id) => cut.push(id),
      end: (id, reason) => ended.push([id, reason]),
      silences: async () => silences,
      now: () => now,
      monotonic: () => now,
      ...change,
    });
  }

  beforeEach(() => {
    now = 1_000_000;
    cut = [];
    ended = [];
    silences = new Map();
    admission = make();
  });

  const admit = (address: string): string => {
    const decision = admission.admit(address);
    return decision.admitted ? decision.connectionId : decision.reason;
  };
  const times = (count: number, address: string): string[] =>
    Array.from({ length: count }, () => admit(address));
  const agent = (address: string, key: string): string => {
    const id = admit(address);
    admission.identified(id, key);
    return id;
  };
  const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  describe('places', () => {
    it('counts identified connections only, and closes new ones when there are as many as may be', () => {
      admission = make({ limits: { maxConnections: 2, penaltyMs: 1, unidentifiedMs: 60_000 } });
      times(3, '10.0.0.9');
      const [first] = [agent('10.0.0.1', 'a'), agent('10.0.0.2', 'b')];
      expect([admission.identifiedConnections, admission.unidentifiedConnections]).toEqual([2, 3]);
      expect(admit('10.0.0.3')).toBe('limit');
      admission.released(first);
      expect(admit('10.0.0.3')).not.toBe('limit');
      expect(metrics.value('gateway_connections_rejected_total', { reason: 'limit' })).toBe(1);
      expect(admission.reachedWithin(0)).toEqual([{ limit: 'connections', max: 2, refused: 1, at: now }]);
      now += 60_000;
      expect(admission.reachedWithin(59_999)).toEqual([]);
    });

    it('ends the one that is identified when the last place has gone meanwhile', () => {
      admission = make({ limits: { maxConnections: 1, penaltyMs: 1, unidentifiedMs: 60_000 } });
      const [first, second] = [admit('10.0.0.1'), admit('10.0.0.2')];
      admission.identified(first, 'a');
      admission.identified(second, 'b');
      expect([ended, admission.identifiedConnections]).toEqual([[[second, 'limit']], 1]);
      expect(admission.reachedWithin(0)).toMatchObject([{ limit: 'connections', key: 'b' }]);
      admission.released(second);
      admission.released(first);
      expect(admission.identifiedConnections).toBe(0);
    });

    it('keeps a pool for unidentified ones, and lets the address with most give way, its oldest first', () => {
      const [mute] = times(40, '10.0.0.1');
      times(24, '10.0.0.2');
      const id = admit('10.0.0.3');
      expect([cut, id]).toEqual([[mute], expect.stringContaining('-65')]);
      expect(['1', '2', '3'].map((end) => admission.unidentifiedOf(`10.0.0.${end}`))).toEqual([39, 24, 1]);
      admission.identified(id, 'a');
      admit('10.0.0.4');
      expect(cut).toHaveLength(1);
      admit('10.0.0.2');
      expect([cut.length, admission.unidentifiedOf('10.0.0.1')]).toEqual([2, 38]);
    });

    it('has a pool of half the limit, at least 64', () => {
      admission = make({ limits: { maxConnections: 200, penaltyMs: 1, unidentifiedMs: 60_000 } });
      times(100, '10.0.0.1');
      expect(cut).toHaveLength(0);
      admit('10.0.0.1');
      expect(cut).toHaveLength(1);
    });

    it('lets no more in than can be closed', () => {
      times(64 + 4 * 64, '10.0.0.1');
      expect([cut.length, admit('10.0.0.2')]).toEqual([256, 'unidentified']);
      admission.released(cut[0]!);
      expect(admit('10.0.0.2')).not.toBe('unidentified');
    });

    it('lets known addresses in for longer, until as many again have not gone', () => {
      admission.known.seen('10.0.0.2');
      times(64 + 4 * 64, '10.0.0.1');
      expect([admit('10.0.0.3'), admit('10.0.0.2')]).toEqual(['unidentified', expect.stringContaining('-')]);
      times(4 * 64 - 1, '10.0.0.2');
      expect(admit('10.0.0.2')).toBe('unidentified');
    });

    it('limits how fast one address may open connections', () => {
      const answers = times(2_001, '10.0.0.1').map((answer, at) => {
        admission.released(answer);
        return [answer, at] as const;
      });
      expect(answers.at(-1)).toEqual(['rate', 2_000]);
      expect(admit('10.0.0.2')).not.toBe('rate');
      now += 5;
      expect([admit('10.0.0.1'), admit('10.0.0.1')]).toEqual([expect.stringContaining('-'), 'rate']);
    });
  });

  describe('of one key', () => {
    const eight = (): string[] => Array.from({ length: 8 }, () => agent('10.0.0.1', 'a'));

    it('lets the one that was silent longest give way at the limit', async () => {
      const ids = eight();
      silences = new Map(ids.map((id, at) => [id, at === 3 ? 90_000 : at === 5 ? 70_000 : 100]));
      const ninth = agent('10.0.0.2', 'a');
      await later();
      expect([ended, admission.identifiedConnections]).toEqual([[[ids[3], 'displaced']], 8]);
      // It is on its way out, and is not asked to go again.
      agent('10.0.0.2', 'a');
      await later();
      expect(ended).toEqual([
        [ids[3], 'displaced'],
        [ids[5], 'displaced'],
      ]);
      admission.released(ninth);
      expect(admission.identifiedConnections).toBe(7);
    });

    it('ends the new one when all were active in the last minute', async () => {
      const ids = eight();
      silences = new Map(ids.map((id) => [id, 59_999]));
      const ninth = agent('10.0.0.2', 'a');
      await later();
      expect(ended).toEqual([[ninth, 'limit']]);
      expect(admission.reachedWithin(0)).toEqual([{ limit: 'key', max: 8, refused: 1, at: now, key: 'a' }]);
      agent('10.0.0.2', 'b');
      expect(admission.identifiedConnections).toBe(9);
    });

    it('lets no more give way than may be open, until they have gone', async () => {
      const ids = eight();
      silences = new Map(ids.map((id) => [id, 90_000]));
      for (let n = 0; n < 8; n += 1) silences.set(agent('10.0.0.2', 'a'), 90_000);
      await later();
      expect(ended.map(([id]) => id)).toEqual(ids);
      const refused = agent('10.0.0.2', 'a');
      await later();
      expect(ended.at(-1)).toEqual([refused, 'limit']);
      ids.forEach((id) => admission.released(id));
      admission.released(refused);
      agent('10.0.0.2', 'a');
      await later();
      expect(ended.at(-1)).toEqual([expect.any(String), 'displaced']);
    });

    it('ends none when one was closed meanwhile', async () => {
      const [first] = eight();
      agent('10.0.0.2', 'a');
      admission.released(first!);
      await later();
      expect([ended, admission.identifiedConnections]).toEqual([[], 8]);
    });

    it('forgets a new one that was closed before it was decided on', async () => {
      eight();
      admission.released(agent('10.0.0.2', 'a'));
      await later();
      expect([ended, admission.identifiedConnections]).toEqual([[], 8]);
    });
  });

  describe('violations', () => {
    it('ban an address from which no key was identified, and close its other unidentified connections', () => {
      const [bad, other] = times(2, '10.0.0.1');
      const elsewhere = admit('10.0.0.2');
      expect(admission.violation(bad!, 'protocol_violation')).toBe('ban');
      expect(cut).toEqual([other]);
      expect([admit('10.0.0.1'), elsewhere]).toEqual(['banned', expect.stringContaining('-')]);
      expect(admission.penalties()).toEqual([
        { address: '10.0.0.1', until: now + 10_000, reason: 'protocol_violation', effect: 'ban' },
      ]);
      now += 10_000;
      expect(admission.penalties()).toEqual([]);
      expect(admit('10.0.0.1')).not.toBe('banned');
    });

    it('are a warning once, when a penalty begins, with the address and the time', () => {
      const lines = logger.lines.length;
      const [first, second] = times(2, '10.0.0.77');
      admission.violation(first!, 'test');
      admission.violation(second!, 'test');
      expect(logger.lines.slice(lines).map(({ level, message, fields }) => [level, message, fields])).toEqual(
        [
          ['warn', 'Address banned', { sourceIp: '10.0.0.77', reason: 'test', seconds: 10 }],
          ['debug', 'Address banned', { sourceIp: '10.0.0.77', reason: 'test', seconds: 10 }],
        ],
      );
    });

    it('take an IPv6 address for its /64', () => {
      admission.violation(admit('2001:db8:0:1::1'), 'test');
      expect(admit('2001:db8:0:1:ffff::2')).toBe('banned');
      expect(admit('2001:db8:0:2::1')).not.toBe('banned');
      expect(admission.penalties()).toMatchObject([{ address: '2001:db8:0:1::/64' }]);
      expect(admission.lift('2001:db8:0:1:2::3')).toBe(true);
      expect(admission.lift('2001:db8:0:1::/64')).toBe(false);
      expect(admit('2001:db8:0:1::1')).not.toBe('banned');
    });

    it('slow an address from which a key was identified in the last hour', () => {
      admission.released(agent('10.0.0.1', 'a'));
      now += HOUR;
      const muted = times(6, '10.0.0.1');
      expect(admission.violation(admit('10.0.0.1'), 'no_client_certificate')).toBe('slow');
      expect(admission.penalties()).toMatchObject([{ address: '10.0.0.1', effect: 'slow' }]);
      // Four unidentified ones may stay.
      expect(cut).toEqual(muted.slice(0, 2));
      expect(times(3, '10.0.0.1').at(-1)).toBe('slowed');
      expect(admission.unidentifiedOf('10.0.0.1')).toBe(4);
      now += 999;
      expect(admit('10.0.0.1')).toBe('slowed');
      now += 501;
      expect(times(3, '10.0.0.1').at(-1)).toBe('slowed');
      expect(admission.unidentifiedOf('10.0.0.1')).toBe(4);
    });

    it('let those in at once that prove a key behind a slowed address', () => {
      const stays = agent('10.0.0.1', 'a');
      admission.violation(admit('10.0.0.1'), 'test');
      for (let n = 0; n < 50; n += 1) agent('10.0.0.1', `key ${n}`);
      expect([admission.identifiedConnections, admission.refused.slowed]).toEqual([51, 0]);
      expect([cut, ended, stays]).toEqual([[], [], expect.any(String)]);
    });

    it('ban when an hour has gone by since', () => {
      admission.released(agent('10.0.0.1', 'a'));
      now += HOUR + 1;
      expect(admission.violation(admit('10.0.0.1'), 'test')).toBe('ban');
    });

    it('slow while a connection is identified, however long that is ago', () => {
      agent('10.0.0.1', 'a');
      now += 10 * HOUR;
      expect(admission.violation(admit('10.0.0.1'), 'test')).toBe('slow');
    });

    it('of an identified connection, and of one that is closed, cause nothing', () => {
      const id = agent('10.0.0.1', 'a');
      expect(admission.violation(id, 'test')).toBeUndefined();
      admission.released(id);
      expect(admission.violation(id, 'test')).toBeUndefined();
      expect(admission.penalties()).toEqual([]);
    });

    it('cause nothing in networks that are never banned, and their neighbours do not count for them', () => {
      admission = make({ neverBan: ['10.0.0.0/24', '2001:db8::1/128'] });
      expect(admission.violation(admit('10.0.0.1'), 'test')).toBeUndefined();
      const spared = admit('2001:db8::1');
      expect(admission.violation(admit('2001:db8::2'), 'test')).toBe('ban');
      expect([cut, admit('2001:db8::2'), admit('2001:db8::1')]).toEqual([
        [],
        'banned',
        expect.not.stringMatching('banned'),
      ]);
      expect(spared).not.toBe('banned');
    });
  });

  it('knows addresses from which keys were identified, and can be told of earlier ones', () => {
    admission.released(agent('2001:db8::1', 'a'));
    now += 1_000;
    admission.known.restore([
      { address: '10.0.0.1', at: now - HOUR },
      { address: '10.0.0.2', at: now + HOUR },
    ]);
    expect(admission.known.has('2001:db8::2', 1_000)).toBe(true);
    expect(admission.known.has('2001:db8::2', 999)).toBe(false);
    expect(admission.known.has('::ffff:10.0.0.1', HOUR)).toBe(true);
    expect(admission.known.has('10.0.0.2', 0)).toBe(true);
    expect(admission.known.has('10.0.0.3', HOUR)).toBe(false);
    expect(admission.known.entries()).toContainEqual({ address: '2001:db8::/64', at: now - 1_000 });
  });

  it('shows in its metrics when penalties have ended', async () => {
    admission = make({ limits: { maxConnections: 10, penaltyMs: 5, unidentifiedMs: 60_000 } });
    admission.violation(admit('10.0.0.1'), 'test');
    agent('10.0.0.2', 'a');
    admission.violation(admit('10.0.0.2'), 'test');
    const active = (): number[] =>
      ['gateway_bans_active', 'gateway_addresses_slowed'].map((name) => metrics.value(name));
    expect(active()).toEqual([1, 1]);
    now += 5;
    const deadline = Date.now() + 5_000;
    while (active().join() !== '0,0' && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 1));
    expect(active()).toEqual([0, 0]);
    admission.close();
  });

  it('cuts those that nobody identifies in time', async () => {
    admission = make({ limits: { maxConnections: 10, penaltyMs: 1, unidentifiedMs: 5 } });
    const [mute] = times(1, '10.0.0.1');
    agent('10.0.0.2', 'a');
    now += 5;
    const deadline = Date.now() + 5_000;
    while (cut.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 1));
    expect([cut, admission.unidentifiedConnections]).toEqual([[mute], 0]);
    admission.close();
  });
});
