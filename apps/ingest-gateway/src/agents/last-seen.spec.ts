import { expect, it } from '@jest/globals';
import { createRecordingLogger } from '@app/pipeline/testing';
import type { AgentRepository } from '../store/index.js';
import { LastSeen } from './last-seen.js';

it('keeps what the store does not take, for the next time', async () => {
  const written: [string, number][][] = [];
  let broken = true;
  const repository: Pick<AgentRepository, 'touch'> = {
    touch: async (seen) => {
      if (broken) throw new Error('disk full');
      written.push([...seen]);
    },
  };
  const logger = createRecordingLogger();
  const lastSeen = new LastSeen(repository as AgentRepository, logger);
  lastSeen.add(['a', 'b'], 10);
  await lastSeen.flush();
  broken = false;
  lastSeen.add(['a'], 20);
  await lastSeen.flush();
  await lastSeen.flush();
  expect(written.map((each) => each.sort())).toEqual([
    [
      ['a', 20],
      ['b', 10],
    ],
  ]);
  expect(logger.lines.map((line) => line.level)).toEqual(['warn']);
});

it('counts once what it had to write twice', async () => {
  const written: unknown[] = [];
  let broken = true;
  const repository: Pick<AgentRepository, 'touch'> = {
    touch: async (_seen, activity) => {
      if (broken) throw new Error('disk full');
      written.push([...(activity ?? [])]);
    },
  };
  const lastSeen = new LastSeen(repository as AgentRepository, createRecordingLogger());
  lastSeen.add(['a'], 10, new Map([['a', { events: 1, bytes: 10 }]]));
  const failing = lastSeen.flush();
  lastSeen.add(['a'], 20, new Map([['a', { events: 2, bytes: 20 }]]));
  await failing;
  expect(lastSeen.pendingActivity('a')).toEqual({ events: 3, bytes: 30 });
  broken = false;
  await lastSeen.flush();
  await lastSeen.flush();
  expect(written).toEqual([[['a', { events: 3, bytes: 30 }]]]);
});
