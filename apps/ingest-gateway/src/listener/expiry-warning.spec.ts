import { describe, expect, it } from '@jest/globals';
import { ExpiryWarnings } from './expiry-warning.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const END = 400 * DAY;

describe('ExpiryWarnings', () => {
  it('says nothing about a certificate that lasts', () => {
    expect(new ExpiryWarnings().due(END, END - 30 * DAY)).toBeUndefined();
  });

  it('warns at 30 days, daily, at 7 days and at the end', () => {
    const warnings = new ExpiryWarnings();
    const said: string[] = [];
    for (let now = END - 31 * DAY; now < END + 2 * DAY; now += HOUR) {
      const warning = warnings.due(END, now);
      if (warning !== undefined) said.push(`${warning.days} ${warning.message}`);
    }
    expect(said).toHaveLength(32);
    expect(said[0]).toBe('29 Server certificate expires soon');
    expect(said[22]).toBe('7 Server certificate expires soon');
    expect(said[23]).toBe('6 Server certificate expires soon');
    expect(said.slice(30)).toEqual([
      '-1 Server certificate has expired',
      '-2 Server certificate has expired',
    ]);
  });

  it('does not wait for the next day when a threshold is passed', () => {
    const warnings = new ExpiryWarnings();
    expect(warnings.due(END, END - 7 * DAY)?.days).toBe(7);
    expect(warnings.due(END, END - 7 * DAY + 1)?.days).toBe(6);
    expect(warnings.due(END, END - 7 * DAY + 2)).toBeUndefined();
  });

  it('begins anew with a renewed certificate', () => {
    const warnings = new ExpiryWarnings();
    expect(warnings.due(END, END - DAY)).toBeDefined();
    expect(warnings.due(END + 365 * DAY, END - DAY)).toBeUndefined();
    expect(warnings.due(END + 20 * DAY, END - DAY)?.days).toBe(21);
  });
});
