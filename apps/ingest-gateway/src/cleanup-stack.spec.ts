import { expect, it } from '@jest/globals';
import { CleanupStack } from './cleanup-stack.js';

it('undoes everything in reverse order, once, whatever fails', async () => {
  const done: string[] = [];
  const undo = new CleanupStack((error) => done.push((error as Error).message));
  undo.add(async () => void done.push('first'));
  undo.add(() => Promise.reject(new Error('second fails')));
  undo.add(async () => void done.push('third'));
  await undo.run();
  await undo.run();
  expect(done).toEqual(['third', 'second fails', 'first']);
});
