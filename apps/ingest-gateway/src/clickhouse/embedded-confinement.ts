import { join } from 'node:path';
import { CONFIG_FILE, FILES_DIRECTORY } from './embedded-config.js';

/** What the process of a server with a reader may open, and which file it removes before it listens. */
export interface Confinement {
  readonly write: readonly string[];
  readonly read: readonly string[];
  readonly remove: string;
}

/** Name, in the server's working directory, of the file that says that ClickHouse has read its configuration. */
export const LOADED_FILE = 'loaded';
/** How long ClickHouse waits for the configuration to be removed, s. Too short a wait fails the start, nothing else. */
const REMOVAL_S = 0.3;
/** Stands in what a server says that ends because it is not confined. */
export const NOT_CONFINED = 'gateway: not confined';

/**
 * What clickhouse-local reads of the system: figures of memory and processors, random bytes, time zones. Not all of
 * `/proc`: the environment of other processes of this user is there.
 */
const SYSTEM = [
  ...['self', 'cpuinfo', 'loadavg', 'meminfo', 'stat', 'uptime', 'vmstat'].map((name) => `/proc/${name}`),
  ...[
    '/sys/devices/system',
    '/sys/fs/cgroup',
    '/dev/urandom',
    '/dev/random',
    '/etc/localtime',
    '/usr/share/zoneinfo',
  ],
];

/**
 * clickhouse-local keeps nobody from the function `file()`, which reads whatever the process may read: so with a user
 * beside the gateway's own, the process may read only what that user may know. The configuration, which holds the
 * gateway's password, is removed before the server listens.
 */
export function confinementOf(directory: string): Confinement {
  const own = ['data', 'run', FILES_DIRECTORY].map((name) => join(directory, name));
  return {
    write: [directory, ...own, '/dev/null'],
    read: SYSTEM,
    remove: join(directory, CONFIG_FILE),
  };
}

/**
 * Statements that run before the server listens, and end it where the confinement does not hold.
 * @param outside a file that anybody may read, outside the confinement
 */
export function confinementChecks({ remove }: Confinement, outside: string): string[] {
  const unreadable = (path: string): string =>
    `SELECT throwIf(file('${quoted(path)}', '') != '', '${NOT_CONFINED}') FORMAT Null`;
  return [
    `SELECT 1 INTO OUTFILE '${LOADED_FILE}' TRUNCATE FORMAT TSV`,
    `SELECT sleep(${REMOVAL_S}) FORMAT Null`,
    unreadable(remove),
    unreadable(outside),
  ];
}

function quoted(path: string): string {
  return path.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}

/**
 * Part of the launcher: confines the thread that it runs in, and those that this one starts, by Landlock, the kernel's
 * means for a process to give up access for good (Linux 5.19 or newer). No TCP connection is opened either, where the
 * kernel can forbid that (6.7).
 */
export const CONFINE_PROGRAM = `
function confine({ write, read, remove }) {
  const fs = require('node:fs');
  open({ library: 'libc', path: 'libc.so.6' });
  const call = (funcName, paramsType, paramsValue) =>
    load({ library: 'libc', funcName, retType: DataType.I64, paramsType, paramsValue });
  const { I64, U8Array } = DataType;
  const [CREATE, ADD, RESTRICT] = [444, 445, 446];
  const must = (result, what) => {
    if (Number(result) < 0) throw new Error('${NOT_CONFINED}: ' + what + ' failed');
    return Number(result);
  };
  const abi = process.platform === 'linux' ? Number(call('syscall', [I64, I64, I64, I64], [CREATE, 0, 0, 1])) : -1;
  if (abi < 2) throw new Error('${NOT_CONFINED}: this system has no Landlock');
  const all = abi >= 3 ? 0x7fff : 0x3fff;
  const file = abi >= 3 ? 0x4007 : 0x7;
  const readOnly = 0xc;
  const attributes = Buffer.alloc(16);
  attributes.writeBigUInt64LE(BigInt(all), 0);
  attributes.writeBigUInt64LE(2n, 8);
  const rules = must(call('syscall', [I64, U8Array, I64, I64], [CREATE, attributes, abi >= 4 ? 16 : 8, 0]), 'create');
  const allow = (path, access) => {
    if (!fs.existsSync(path)) return;
    const O_PATH = 0x200000;
    const handle = fs.openSync(path, O_PATH);
    const rule = Buffer.alloc(12);
    rule.writeBigUInt64LE(BigInt(fs.statSync(path).isDirectory() ? access : access & file), 0);
    rule.writeInt32LE(handle, 8);
    must(call('syscall', [I64, I64, I64, U8Array, I64], [ADD, rules, 1, rule, 0]), path);
    fs.closeSync(handle);
  };
  for (const path of write) allow(path, all);
  for (const path of read) allow(path, readOnly);
  must(call('prctl', [I64, I64, I64, I64, I64], [38, 1, 0, 0, 0]), 'no_new_privs');
  must(call('syscall', [I64, I64, I64], [RESTRICT, rules, 0]), 'restrict');
  const timer = setInterval(() => {
    if (!fs.existsSync('${LOADED_FILE}')) return;
    fs.rmSync(remove, { force: true });
    clearInterval(timer);
  }, 5);
}
`;
