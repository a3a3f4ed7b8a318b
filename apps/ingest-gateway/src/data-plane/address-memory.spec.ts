import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import type { KnownAddressRepository, StoredAddress } from '../store/index.js';
import { AddressMemory } from './address-memory.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 100 * DAY;

/** A repository in memory that can fail, and counts its writes. */
class Repository implements KnownAddressRepository {
  readonly stored = new Map<string, number>();
  failing = false;
  writes = 0;
  reads = 0;

  async list(): Promise<StoredAddress[]> {
    this.#check();
    this.reads += 1;
    return [...this.stored].map(([address, at]) => ({ address, at }));
  }

  async note(seen: ReadonlyMap<string, number>): Promise<void> {
    this.#check();
    this.writes += 1;
    for (const [address, at] of seen) this.stored.set(address, at);
  }

  async trim(before: number): Promise<void> {
    for (const [address, at] of this.stored) if (at < before) this.stored.delete(address);
  }

  #check(): void {
    if (this.failing) throw new Error('The store is not there.');
  }
}

describe('AddressMemory', () => {
  let repository: Repository;
  let logger: RecordingLogger;
  let now: number;
  let known: StoredAddress[];
  let learned: StoredAddress[];
  let memory: AddressMemory;
  let agents: { sourceIp: string; enrolledAt: number; lastSeenAt: number | null }[];
  const plane = {
    knownAddresses: () => known,
    learnAddresses: (addresses: readonly StoredAddress[]) => void learned.push(...addresses),
  };

  beforeEach(() => {
    repository = new Repository();
    logger = createRecordingLogger();
    now = NOW;
    known = [];
    learned = [];
    agents = [];
    memory = new AddressMemory({
      repository,
      agents: async () => agents,
      logger,
      everyMs: 5,
      now: () => now,
    });
  });
  afterEach(() => memory.stop());

  it('tells what is remembered of the last 24 hours before anything is served', async () => {
    repository.stored.set('10.0.0.1', NOW - DAY + 1).set('10.0.0.2', NOW - DAY - 1);
    await memory.follow(plane);
    expect(learned).toEqual([{ address: '10.0.0.1', at: NOW - DAY + 1 }]);
  });

  it('takes the addresses that agents enrolled from where it remembers none, as after an upgrade', async () => {
    agents = [
      { sourceIp: '10.0.0.1', enrolledAt: 0, lastSeenAt: NOW - HOUR },
      { sourceIp: '2001:db8::7', enrolledAt: NOW - 2 * HOUR, lastSeenAt: null },
      { sourceIp: '10.0.0.3', enrolledAt: 0, lastSeenAt: NOW - DAY - 1 },
      { sourceIp: '', enrolledAt: NOW, lastSeenAt: NOW },
    ];
    await memory.follow(plane);
    expect(learned).toEqual([
      { address: '10.0.0.1', at: NOW - HOUR },
      { address: '2001:db8::/64', at: NOW - 2 * HOUR },
    ]);
    learned = [];
    repository.stored.set('10.0.0.9', NOW);
    await memory.stop();
    await memory.follow(plane);
    expect(learned).not.toContainEqual({ address: '10.0.0.1', at: NOW - HOUR });
  });

  it('writes a new address soon, and one that stays once an hour', async () => {
    await memory.follow(plane);
    known = [{ address: '10.0.0.1', at: NOW }];
    await pollUntil('the write', () => repository.stored.get('10.0.0.1') === NOW);
    known = [{ address: '10.0.0.1', at: NOW + HOUR }];
    const { reads } = repository;
    await pollUntil('some turns', () => repository.reads > reads);
    expect(repository.writes).toBe(1);
    known = [{ address: '10.0.0.1', at: NOW + HOUR + 1 }];
    await pollUntil('the next write', () => repository.writes === 2);
  });

  it('writes what it knows when it stops, and forgets what is old', async () => {
    repository.stored.set('10.0.0.2', NOW - DAY + HOUR);
    await memory.follow(plane);
    known = [{ address: '10.0.0.1', at: NOW + HOUR / 2 }];
    now = NOW + 2 * HOUR;
    await memory.stop();
    expect([...repository.stored]).toEqual([['10.0.0.1', NOW + HOUR / 2]]);
  });

  it('goes on when the store is back, and tells of a failure once', async () => {
    repository.failing = true;
    repository.stored.set('10.0.0.1', NOW);
    await memory.follow(plane);
    expect(learned).toEqual([]);
    const told = (level: string): number => logger.lines.filter((line) => line.level === level).length;
    await pollUntil('more attempts', () => told('debug') > 1);
    expect(told('warn')).toBe(1);
    repository.failing = false;
    await pollUntil('the addresses', () => learned.length === 1);
  });
});
