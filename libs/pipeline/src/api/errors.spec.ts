import { describe, expect, it, jest } from '@jest/globals';
import {
  GatewayError,
  PartialWriteError,
  PermanentError,
  RejectError,
  RetryableError,
  SinkError,
} from './errors.js';

/** The module once more, as a plugin that brings its own copy of the API has it. */
async function otherCopy(): Promise<typeof import('./errors.js')> {
  let copy: typeof import('./errors.js') | undefined;
  await jest.isolateModulesAsync(async () => {
    copy = await import('./errors.js');
  });
  if (copy === undefined) throw new Error('The copy was not loaded.');
  return copy;
}

describe('errors of the API', () => {
  it('recognizes errors of another copy of the API, and tells their classes apart', async () => {
    const other = await otherCopy();
    expect(other.RetryableError).not.toBe(RetryableError);
    const errors = {
      gateway: new other.GatewayError('CODE', 'message'),
      reject: new other.RejectError('code', '', 'message'),
      retryable: new other.RetryableError('message', 'code'),
      permanent: new other.PermanentError('message', 'code'),
      partial: new other.PartialWriteError('message', 'code', [1]),
    };
    const classes = {
      GatewayError,
      RejectError,
      SinkError,
      RetryableError,
      PermanentError,
      PartialWriteError,
    };
    const recognized = Object.fromEntries(
      Object.entries(errors).map(([name, error]) => [
        name,
        Object.entries(classes).flatMap(([type, each]) => (error instanceof each ? [type] : [])),
      ]),
    );
    expect(recognized).toEqual({
      gateway: ['GatewayError'],
      reject: ['RejectError'],
      retryable: ['SinkError', 'RetryableError'],
      permanent: ['SinkError', 'PermanentError'],
      partial: ['SinkError', 'PartialWriteError'],
    });
  });

  it('recognizes nothing else, and leaves classes of plugins that extend one to themselves', () => {
    class Busy extends RetryableError {}
    class Slow extends RetryableError {}
    const busy = new Busy('message', 'code');
    expect(busy instanceof RetryableError).toBe(true);
    expect(busy instanceof Busy).toBe(true);
    expect(busy instanceof Slow).toBe(false);
    for (const value of [
      undefined,
      null,
      'RetryableError',
      {},
      new Error('no'),
      { name: 'RetryableError' },
    ]) {
      expect(value instanceof RetryableError).toBe(false);
      expect(value instanceof GatewayError).toBe(false);
    }
  });
});
