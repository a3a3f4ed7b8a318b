import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GatewayError } from '@activity-gateway/pipeline/api';

/** What the embedded server's process loads. */
export interface EmbeddedLibrary {
  /** Entry file of the package `ffi-rs`. */
  readonly ffi: string;
  /** Path of `libchdb.so`. */
  readonly library: string;
}

const INSTEAD = 'Set CLICKHOUSE_URL to use a ClickHouse server of your own.';
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@chdb/lib-linux-x64-gnu',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'darwin-arm64': '@chdb/lib-darwin-arm64',
};

/**
 * Name of the package that holds the library for a platform.
 * @param glibc whether the system's C library is glibc; only asked on Linux
 * @throws GatewayError `CLICKHOUSE_EMBEDDED_UNSUPPORTED` where there is none (Windows, Alpine and other musl systems)
 */
export function libraryPackage(platform: string, arch: string, glibc: boolean): string {
  const name = PACKAGES[`${platform}-${arch}`];
  if (name !== undefined && (platform !== 'linux' || glibc)) return name;
  const system =
    platform === 'linux' && !glibc ? `linux ${arch} without glibc (musl)` : `${platform} ${arch}`;
  throw new GatewayError(
    'CLICKHOUSE_EMBEDDED_UNSUPPORTED',
    `The embedded ClickHouse does not exist for ${system}.`,
    INSTEAD,
  );
}

/**
 * Finds the optional packages of the embedded server.
 * @throws GatewayError when the platform has none, or they are not installed
 */
export function findEmbeddedLibrary(): EmbeddedLibrary {
  const name = libraryPackage(process.platform, process.arch, hasGlibc());
  const require = createRequire(import.meta.url);
  try {
    const ffi = require.resolve('ffi-rs');
    // The library is a dependency of chdb, and so is where chdb finds it, hoisted or not.
    const fromChdb = createRequire(require.resolve('chdb/package.json'));
    return { ffi, library: join(dirname(fromChdb.resolve(`${name}/package.json`)), 'libchdb.so') };
  } catch (error) {
    throw new GatewayError(
      'CLICKHOUSE_EMBEDDED_MISSING',
      `The packages of the embedded ClickHouse (chdb, ${name}, ffi-rs) are not installed.`,
      `Run "npm ci" without "--omit=optional". ${INSTEAD}`,
      { cause: error },
    );
  }
}

function hasGlibc(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime !== undefined;
}
