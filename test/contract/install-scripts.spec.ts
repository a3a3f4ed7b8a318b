import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

interface LockedPackage {
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
  readonly resolved?: string;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** What each of them does was read: they choose or build native code, or print a hint. None of them sends anything. */
const KNOWN_SCRIPTS = ['@parcel/watcher', '@swc/core', 'chdb', 'lmdb', 'msgpackr-extract'];

const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

describe('npm ci', () => {
  it('runs the scripts of known packages only', () => {
    const found = Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => nameOf(path));
    expect([...new Set(found)].sort()).toEqual(KNOWN_SCRIPTS);
  });

  it('puts an empty package of this repository in the place of @scarf/scarf, wherever it is asked for', () => {
    const found = Object.entries(lock.packages).filter(([path]) => nameOf(path) === '@scarf/scarf');
    expect(found).toEqual([['node_modules/@scarf/scarf', { resolved: 'third-party/scarf', link: true }]]);
    const manifest = JSON.parse(readFileSync('node_modules/@scarf/scarf/package.json', 'utf8')) as object;
    expect(manifest).not.toHaveProperty('scripts');
    expect(existsSync('node_modules/swagger-ui-dist/node_modules')).toBe(false);
  });
});
