import { engineSpecs } from './test/support/engine-specs.mjs';

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@activity-gateway/pipeline/host/testing$': '<rootDir>/libs/pipeline/src/host/testing.ts',
    '^@activity-gateway/pipeline/([a-z]+)$': '<rootDir>/libs/pipeline/src/$1/index.ts',
    '^@activity-gateway/activity/testing$': '<rootDir>/libs/activity/src/testing/index.ts',
    '^@activity-gateway/(activity|agent)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'es6' },
      },
    ],
  },
  // `npm run test:fast`.
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.TEST_FAST === '1' ? engineSpecs() : [])],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/libs/[a-z]+/dist/'],
};

/** @type {import('jest').Config} */
const config = {
  // Two cores are what the smallest supported machine has; suites over real engines are not CPU-bound all the time.
  maxWorkers: 3,
  // Hooks start and stop real engines; a busy machine must not fail them.
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/test/support/closing-line.reporter.mjs'],
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,plugins,test/bench}/**/*.spec.ts'] },
    { ...common, displayName: 'contract', testMatch: ['<rootDir>/test/contract/**/*.spec.ts'] },
    { ...common, displayName: 'chaos', testMatch: ['<rootDir>/test/chaos/**/*.spec.ts'] },
    { ...common, displayName: 'rigs', testMatch: ['<rootDir>/test/rigs/**/*.spec.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
  ],
};

export default config;
