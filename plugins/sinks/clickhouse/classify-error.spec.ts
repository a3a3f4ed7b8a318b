import { describe, expect, it } from '@jest/globals';
import { ClickHouseError } from '@clickhouse/client';
import { PartialWriteError, PermanentError, RetryableError } from '@activity-gateway/pipeline/api';
import { classifyError, rowOf } from './classify-error.js';
import { UnexpectedAnswer } from './exchange.js';

const CONTEXT = { table: 'file_events', rows: 4, entries: 2, aborted: false };
const clickhouse = (code: number, type: string, message = 'Something'): ClickHouseError =>
  new ClickHouseError({ code: String(code), type, message });
const system = (code: string): Error => Object.assign(new Error(code), { code });

describe('classifyError', () => {
  it.each([
    [16, 'NO_SUCH_COLUMN_IN_TABLE'],
    [60, 'UNKNOWN_TABLE'],
    [81, 'UNKNOWN_DATABASE'],
    [117, 'INCORRECT_DATA'],
    [497, 'ACCESS_DENIED'],
    [516, 'AUTHENTICATION_FAILED'],
  ])('%i %s is for a person to fix', (code, type) => {
    const error = classifyError(clickhouse(code, type, 'Table x does not exist. Maybe y? secret'), CONTEXT);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error.code).toBe(`${code} ${type}`);
    expect(error.message).toBe('ClickHouse refused the insert into file_events: Table x does not exist');
  });

  it.each([27, 469, 53, 6, 38, 41, 69, 70, 72, 349, 131])('%i is a row to blame, named or not', (code) => {
    const named = classifyError(clickhouse(code, 'T', "Value 'secret' (at row 3)"), CONTEXT);
    expect(named).toBeInstanceOf(PartialWriteError);
    expect(named).toMatchObject({ rejected: [2] });
    const unnamed = classifyError(clickhouse(code, 'T', "Value 'secret'"), CONTEXT);
    expect(unnamed).toBeInstanceOf(PartialWriteError);
    expect(unnamed).toMatchObject({ rejected: [] });
    expect(named.message + unnamed.message).not.toContain('secret');
  });

  it.each([
    [159, 0],
    [202, 1_000],
    [209, 0],
    [210, 0],
    [241, 5_000],
    [242, 5_000],
    [252, 5_000],
    [319, 0],
    [425, 0],
    [999, 0],
    [33, 0],
    [123_456, 0],
  ])('%i is tried again, after %i ms at least', (code, ms) => {
    const error = classifyError(clickhouse(code, 'T'), CONTEXT);
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ retryAfterMs: ms, code: `${code} T` });
  });

  it('is to be divided when it has too many partitions', () => {
    const text = 'Too many partitions for single INSERT block (more than 100).';
    const error = classifyError(clickhouse(252, 'TOO_MANY_PARTS', text), CONTEXT);
    expect(error).toBeInstanceOf(PartialWriteError);
    expect(error).toMatchObject({ rejected: [], code: '252 TOO_MANY_PARTS' });
  });

  it.each([
    [system('ECONNREFUSED'), 'ECONNREFUSED'],
    [system('ECONNRESET'), 'ECONNRESET'],
    [system('ENOTFOUND'), 'ENOTFOUND'],
    [new Error('Timeout error.'), 'TIMEOUT'],
    [new UnexpectedAnswer(502, 'HTTP 502, "Bad Gateway"'), 'HTTP'],
    [new Error('<html>'), 'UNKNOWN'],
    [new Error(''), 'UNKNOWN'],
    ['text', 'UNKNOWN'],
  ])('no answer: %s', (cause, code) => {
    const error = classifyError(cause, CONTEXT);
    expect(error).toBeInstanceOf(RetryableError);
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('html');
  });

  it.each([413, 414, 431])('is to be divided when it is too large, and else waits: %i', (status) => {
    const answer = new UnexpectedAnswer(status, `HTTP ${status}, no text`);
    const error = classifyError(answer, CONTEXT);
    expect(error).toBeInstanceOf(PartialWriteError);
    expect(error).toMatchObject({ code: 'BODY_TOO_LARGE', rejected: [] });
    const single = classifyError(answer, { ...CONTEXT, entries: 1 });
    expect(single).toBeInstanceOf(PermanentError);
    expect(single.message).toContain('client_max_body_size');
  });

  it.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
    'a certificate that does not fit is for a person to fix: %s',
    (code) => {
      expect(classifyError(system(code), CONTEXT)).toBeInstanceOf(PermanentError);
    },
  );

  it('knows a write that was given up, and leaves its own errors alone', () => {
    expect(classifyError(new Error('aborted'), { ...CONTEXT, aborted: true }).code).toBe('ABORTED');
    const own = new RetryableError('x', 'NO_ENDPOINT');
    expect(classifyError(own, CONTEXT)).toBe(own);
  });
});

describe('rowOf', () => {
  it.each([
    ['Cannot parse (at row 1)', 0],
    ['Constraint `c` for table t is violated at row 4. Expression', 3],
    ['(at row 5)', undefined],
    ['(at row 0)', undefined],
    ['row 2', undefined],
  ])('%s', (message, row) => {
    expect(rowOf(message, 4)).toBe(row);
  });
});
