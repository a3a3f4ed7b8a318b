import { describe, expect, it } from '@jest/globals';
import { WritePermits } from './write-permits.js';

describe('WritePermits', () => {
  const a = {};
  const b = {};
  const setUp = (limit: number): { permits: WritePermits; granted: string[]; limits: { limit: number } } => {
    const limits = { limit };
    return { permits: new WritePermits(() => limits.limit), granted: [], limits };
  };

  it('grants as many as there are over all holders, then in the order of asking', () => {
    const { permits, granted } = setUp(2);
    permits.want('p', a, () => granted.push('a1'));
    permits.want('p', b, () => granted.push('b1'));
    permits.want('p', b, () => granted.push('b2'));
    permits.want('p', a, () => granted.push('a2'));
    expect(granted).toEqual(['a1', 'b1']);
    permits.done('p', a);
    permits.done('p', b);
    expect(granted).toEqual(['a1', 'b1', 'b2', 'a2']);
  });

  it('keeps pools apart', () => {
    const { permits, granted } = setUp(1);
    permits.want('p', a, () => granted.push('p'));
    permits.want('q', a, () => granted.push('q'));
    expect(granted).toEqual(['p', 'q']);
  });

  it('serves the others with what a dead process held and wanted', () => {
    const { permits, granted } = setUp(1);
    permits.want('p', a, () => granted.push('a1'));
    permits.want('p', a, () => granted.push('a2'));
    permits.want('p', b, () => granted.push('b1'));
    permits.drop(a);
    expect(granted).toEqual(['a1', 'b1']);
    permits.done('p', a);
    permits.want('p', b, () => granted.push('b2'));
    expect(granted).toHaveLength(2);
  });

  it('follows its limit up and down', () => {
    const { permits, granted, limits } = setUp(1);
    for (const name of ['1', '2', '3', '4']) permits.want('p', a, () => granted.push(name));
    limits.limit = 3;
    permits.changed();
    expect(granted).toEqual(['1', '2', '3']);
    limits.limit = 1;
    permits.done('p', a);
    permits.done('p', a);
    expect(granted).toHaveLength(3);
    permits.done('p', a);
    expect(granted).toHaveLength(4);
  });
});
