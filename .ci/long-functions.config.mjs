// Counts functions of more than 35 lines. `npm run lint` fails when there are more of them than it says: lower that
// number when you shorten one. Functions of more than 60 lines are an error of eslint.config.mjs.
import tseslint from 'typescript-eslint';
import { functionLength } from './function-length.mjs';

export default [
  {
    ignores: [
      ...['**/dist/', '**/node_modules/', 'data/', '**/*.mjs', '**/*.cjs'],
      // Their functions declare the tests of a suite.
      ...['libs/pipeline/src/testing/contract/', 'test/support/*-conformance*.ts'],
    ],
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    // Known for the comments that switch its rules off.
    plugins: { 'function-length': functionLength, '@typescript-eslint': tseslint.plugin },
    rules: { 'function-length/max': ['warn', { max: 35, skipBlankLines: true, skipComments: true }] },
  },
];
