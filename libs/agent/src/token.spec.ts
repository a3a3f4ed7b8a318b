import { describe, expect, it } from '@jest/globals';
import { parseToken } from './token.js';

const code = 'A'.repeat(42) + '_';
const spki = '0123456789abcdef'.repeat(4);

describe('parseToken', () => {
  it('takes a token apart, blanks around it left out', () => {
    expect(parseToken(` nam1.${code}.${spki}\n`)).toEqual({ code, serverSpki: spki });
  });

  it.each([
    ['', 'does not begin with "nam1."'],
    [`nam2.${code}.${spki}`, 'does not begin with "nam1."'],
    [`nam1.${code}`, 'has 2 parts'],
    [`nam1.${code}.${spki}.x`, 'has 4 parts'],
    [`nam1.short.${spki}`, 'second part'],
    [`nam1.${code}.${spki.slice(1)}`, 'third part'],
    [`nam1.${code}.${spki.toUpperCase()}`, 'third part'],
  ])('says what is wrong with %j', (text, reason) => {
    expect(() => parseToken(text)).toThrow(reason);
  });

  it('never repeats the code in its error', () => {
    let message = '';
    try {
      parseToken(`nam1.${code}.x`);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('third part');
    expect(message).not.toContain(code);
  });
});
