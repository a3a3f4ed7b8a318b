import { describe, expect, it } from '@jest/globals';
import { embeddedFailure } from './embedded-failure.js';
import { libraryPackage } from './embedded-library.js';

const CONTEXT = { directory: '/var/lib/gateway/clickhouse', port: 8123 };

describe('why an embedded server ended', () => {
  it.each([
    [
      'Code: 76. DB::Exception: Cannot lock file',
      'CLICKHOUSE_DIRECTORY_IN_USE',
      '/var/lib/gateway/clickhouse',
    ],
    ['Code: 210. DB::Exception: Listen [127.0.0.1]:8123 failed', 'CLICKHOUSE_PORT_IN_USE', '8123'],
    ['Logging warning to x\nCode: 36. DB::Exception: Bad', 'CLICKHOUSE_EMBEDDED_ENDED', 'Code: 36.'],
    [
      'libchdb.so: cannot open shared object file\n',
      'CLICKHOUSE_EMBEDDED_ENDED',
      'cannot open shared object',
    ],
    ['Logging warning to x\n', 'CLICKHOUSE_EMBEDDED_ENDED', '(exit code 1).'],
  ])('%j', (message, code, text) => {
    const failure = embeddedFailure(message, CONTEXT, 1);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(text);
    expect(failure.hint).toMatch(/\S/);
  });

  it('names a signal and an error of the start', () => {
    expect(embeddedFailure('', CONTEXT, 'SIGKILL').message).toContain('signal SIGKILL');
    expect(embeddedFailure('', CONTEXT, new Error('spawn ENOMEM')).message).toContain('spawn ENOMEM');
  });
});

describe('the package of the embedded server', () => {
  it.each([
    ['linux', 'x64', true, '@chdb/lib-linux-x64-gnu'],
    ['linux', 'arm64', true, '@chdb/lib-linux-arm64-gnu'],
    ['darwin', 'arm64', false, '@chdb/lib-darwin-arm64'],
  ])('%s %s', (platform, arch, glibc, name) => {
    expect(libraryPackage(platform, arch, glibc)).toBe(name);
  });

  it.each([
    ['win32', 'x64', false, 'win32 x64'],
    ['linux', 'x64', false, 'musl'],
    ['linux', 'ia32', true, 'linux ia32'],
  ])('says that there is none for %s %s, and what to do', (platform, arch, glibc, text) => {
    expect(() => libraryPackage(platform, arch, glibc)).toThrow(
      expect.objectContaining({
        code: 'CLICKHOUSE_EMBEDDED_UNSUPPORTED',
        message: expect.stringContaining(text),
        hint: expect.stringContaining('CLICKHOUSE_URL'),
      }),
    );
  });
});
