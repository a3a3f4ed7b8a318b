// Fails when a package of the lock file does not accept the oldest supported Node, unless it is excepted here by name.
// npm's own --engine-strict knows no exceptions. Each of these runs on that Node: the tests say so.
import { readFileSync } from 'node:fs';
import semver from 'semver';

const EXCEPTED = new Set([
  // What `nest build` and its generators bring; only the compiler part of it is used.
  '@angular-devkit/core',
  '@angular-devkit/schematics',
  '@angular-devkit/schematics-cli',
  '@nestjs/schematics',
  'commander',
  // Brought by @fastify/static, fastify and @nestjs/common.
  'content-disposition',
  'cookie',
  'file-type',
]);

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const oldest = semver.minVersion(read('package.json').engines.node);
const packages = Object.entries(read('package-lock.json').packages).map(([path, { engines }]) => ({
  name: path.split('node_modules/').at(-1),
  wanted: engines?.node,
}));
const refused = packages.filter(({ wanted }) => wanted !== undefined && !semver.satisfies(oldest, wanted));
const unknown = refused.filter(({ name }) => !EXCEPTED.has(name));
const needless = [...EXCEPTED].filter((name) => !refused.some((each) => each.name === name));

for (const { name, wanted } of unknown)
  console.error(`${name} wants Node ${wanted}, not ${oldest}: take an older version.`);
for (const name of needless)
  console.error(`${name} needs no exception any more: remove it from .ci/check-engines.mjs.`);
process.exitCode = unknown.length + needless.length > 0 ? 1 : 0;
