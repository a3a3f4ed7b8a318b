// Completes package-lock.json with the optional packages of other platforms. A registry mirror that holds only some
// platforms makes `npm install` leave the others out, and `npm ci` then refuses the lock file everywhere.
// Run it after a change of dependencies: node .ci/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const OS = [
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'android',
  'openharmony',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
];
const CPU = {
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  arm: 'arm',
  armv7: 'arm',
  ppc64: 'ppc64',
  s390x: 's390x',
  loong64: 'loong64',
  riscv64: 'riscv64',
};

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const words = (name) => name.split('/').at(-1).split('-');

function platformOf(name) {
  const parts = words(name);
  if (parts.includes('wasm32')) return { cpu: ['wasm32'] };
  const os = OS.find((each) => parts.includes(each));
  const cpu = Object.keys(CPU).find((each) => parts.includes(each));
  if (os === undefined) return undefined;
  return {
    os: [os],
    cpu: [cpu ? CPU[cpu] : (parts.find((part) => part.length > 3 && part !== os) ?? 'other')],
  };
}

let added = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path === '' ? '' : `${path}/`}node_modules/${name}`;
    if (lock.packages[`node_modules/${name}`] || lock.packages[nested]) continue;
    const platform = platformOf(name);
    if (platform === undefined || !/^\d/.test(version)) {
      process.stderr.write(`left alone: ${name}@${version} of ${path}\n`);
      continue;
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...platform,
    };
    added += 1;
  }
}
const { '': root, ...rest } = lock.packages;
lock.packages = {
  '': root,
  ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))),
};
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} packages of other platforms added\n`);
