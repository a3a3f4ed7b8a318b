import { expect, it } from '@jest/globals';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import type { AgentRepository } from '../store/index.js';
import { pollUntil } from '../../../../test/support/poll.js';
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

it('tries again by itself until the store takes it, and says so once', async () => {
  let attempts = 0;
  const touch = async (): Promise<void> => {
    attempts += 1;
    if (attempts < 3) throw new Error('gone');
  };
  const logger = createRecordingLogger();
  const lastSeen = new LastSeen({ touch } as Partial<AgentRepository> as AgentRepository, logger);
  lastSeen.add(['a'], 10);
  await pollUntil('the third attempt', () => attempts === 3);
  await pollUntil('the end', () => lastSeen.pending('a') === undefined);
  expect(logger.lines.map((line) => line.level)).toEqual(['warn']);
  attempts = 0;
  await lastSeen.stop();
  lastSeen.add(['a'], 20);
  await lastSeen.stop();
  expect(attempts).toBe(1);
  expect(lastSeen.pending('a')).toBe(20);
});
