import { describe, expect, it } from '@jest/globals';
import { RUNTIME_METRICS } from '@activity-gateway/pipeline/host';
import { readFileSync } from 'node:fs';

describe('docs/reference/plugin-api.md', () => {
  const rows = readFileSync('docs/reference/plugin-api.md', 'utf8').matchAll(
    /^\| `(gateway_\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$/gm,
  );

  it('lists every metric of the runtime with its kind, labels and meaning, and no other', () => {
    const listed = [...rows].map(([, name, kind, labels = '', help]) => ({
      name,
      kind,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label),
      help,
    }));
    const real = Object.values(RUNTIME_METRICS).map(({ name, kind, labels, help }) => ({
      name,
      kind,
      labels,
      help,
    }));
    expect(listed).toEqual(real);
  });
});
