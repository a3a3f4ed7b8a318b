import { describe, expect, it } from '@jest/globals';
import { PermanentError, RetryableError } from '@activity-gateway/pipeline/api';
import { classifyFileError } from './classify-error.js';

const fileError = (code: string): Error => Object.assign(new Error('failed'), { code });

describe('classifyFileError', () => {
  it.each(['ENOSPC', 'EIO', 'EDQUOT', 'EMFILE', 'EAGAIN'])('lets %s be tried again', (code) => {
    const error = classifyFileError(fileError(code), '/d/a.ndjson');
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ code, message: `The file /d/a.ndjson cannot be written (${code}).` });
  });

  it.each(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EISDIR'])('leaves %s to a person', (code) => {
    expect(classifyFileError(fileError(code), '/d/a.ndjson')).toBeInstanceOf(PermanentError);
  });

  it('lets what it does not know be tried again, and passes sink errors on', () => {
    expect(classifyFileError('text', '/d/a')).toMatchObject({ name: 'RetryableError', code: 'UNKNOWN' });
    expect(classifyFileError(undefined, '/d/a')).toBeInstanceOf(RetryableError);
    const known = new PermanentError('known', 'X');
    expect(classifyFileError(known, '/d/a')).toBe(known);
  });
});
