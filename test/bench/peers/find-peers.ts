import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Programs that the benchmark compares the gateway with, where they are installed. */
export const PEERS = ['syslog-ng', 'rsyslog'] as const;

/** One of `PEERS`. */
export type PeerName = (typeof PEERS)[number];

/** An installed peer. */
export interface PeerProgram {
  readonly name: PeerName;
  readonly binary: string;
  /** Folders of its modules, for its command line; empty where it finds them itself. */
  readonly modules: readonly string[];
  /** Further environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Name and version as it says them. */
  readonly version: string;
  /** Version of the configuration language, of syslog-ng only. */
  readonly configVersion: string;
}

/** Variables that name what is not on the PATH. */
export const PEER_VARIABLES = {
  binary: { 'syslog-ng': 'BENCH_SYSLOG_NG', rsyslog: 'BENCH_RSYSLOGD' },
  rsyslogModules: 'BENCH_RSYSLOG_MODULES',
} as const;

const BINARIES: Readonly<Record<PeerName, string>> = { 'syslog-ng': 'syslog-ng', rsyslog: 'rsyslogd' };
/** Its TLS by OpenSSL, as the others have it. */
const RSYSLOG_TLS = 'lmnsd_ossl.so';
/** Where system programs are, which are not on every user's PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

/**
 * Looks for a peer.
 * @throws Error that says what is missing and which variable names it
 */
export function findPeer(name: PeerName): PeerProgram {
  const binary = process.env[PEER_VARIABLES.binary[name]] ?? onPath(BINARIES[name]);
  if (binary === undefined || !existsSync(binary)) {
    const variable = PEER_VARIABLES.binary[name];
    throw new Error(
      `${name} is not installed: no ${BINARIES[name]} on the PATH, and ${variable} names none.`,
    );
  }
  const place = name === 'syslog-ng' ? syslogNgPlace(binary) : rsyslogPlace();
  const text = execFileSync(
    binary,
    [...moduleArgs(name, place.modules), name === 'rsyslog' ? '-v' : '--version'],
    {
      env: { ...process.env, ...place.env },
      encoding: 'utf8',
    },
  );
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0] ?? 'of unknown version';
  return { name, binary, ...place, version: `${name} ${version}`, configVersion: configVersion(text) };
}

/** Arguments that tell a peer where its modules are. */
export function moduleArgs(name: PeerName, modules: readonly string[]): string[] {
  if (modules.length === 0) return [];
  return name === 'rsyslog' ? ['-M', modules.join(':')] : ['--module-path', modules.join(':')];
}

function onPath(binary: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, binary)).find(existsSync);
}

/** A package that was only unpacked (`<root>/usr/sbin/syslog-ng`) has its libraries and modules beside it. */
function syslogNgPlace(binary: string): Pick<PeerProgram, 'modules' | 'env'> {
  const library = join(dirname(dirname(binary)), 'lib', 'syslog-ng');
  if (binary.startsWith('/usr/sbin/') || !existsSync(library)) return { modules: [], env: {} };
  return { modules: foldersOf(library), env: { LD_LIBRARY_PATH: library } };
}

/** Its own modules, and those of packages that were only unpacked; `-M` takes the place of its own search. */
function rsyslogPlace(): Pick<PeerProgram, 'modules' | 'env'> {
  const more = process.env[PEER_VARIABLES.rsyslogModules]?.split(':') ?? [];
  const libraries = ['/usr/lib64', '/usr/lib', ...foldersOf('/usr/lib')].map((folder) =>
    join(folder, 'rsyslog'),
  );
  const modules = [...libraries, ...more].filter(existsSync);
  if (!modules.some((folder) => existsSync(join(folder, RSYSLOG_TLS)))) {
    throw new Error(
      `rsyslog has no ${RSYSLOG_TLS} (package rsyslog-openssl), and ${PEER_VARIABLES.rsyslogModules} names no folder with it.`,
    );
  }
  return { modules, env: {} };
}

function foldersOf(parent: string): string[] {
  const entries = existsSync(parent) ? readdirSync(parent, { withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(parent, name));
}

function configVersion(text: string): string {
  return /^Config version: (\S+)$/m.exec(text)?.[1] ?? '';
}
