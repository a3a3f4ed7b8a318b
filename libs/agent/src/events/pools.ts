import { Random } from './random.js';
import { escapeJson } from './text.js';
import * as words from './words.js';

/** A person. Texts are ready for a JSON string, unless their name says raw. */
export interface User {
  /** `CORP\\alice`. */
  readonly account: string;
  readonly rawAccount: string;
  readonly name: string;
  readonly sid: string;
  /** `alice.bauer@contoso.com`. */
  readonly upn: string;
}

/** A file on a server. Texts are ready for a JSON string, unless their name says raw. */
export interface FilePath {
  readonly local: string;
  readonly rawLocal: string;
  /** What follows the server's name in a UNC path. */
  readonly unc: string;
  readonly share: string;
  /** With extension. */
  readonly name: string;
  readonly extension: string;
  /** Folder and name, separated by slashes, as web addresses have them. */
  readonly url: string;
  /** The folder alone, separated by slashes. */
  readonly folderUrl: string;
}

/** What events are put together from, made once: an event only picks. */
export interface Pools {
  readonly users: readonly User[];
  readonly hosts: readonly string[];
  readonly paths: readonly FilePath[];
  /** As untidy as senders write them, some empty or no address at all. */
  readonly clientIps: readonly string[];
  readonly sddls: readonly string[];
}

/** Fixed: agents of all seeds see the same people and files. */
const POOL_SEED = 20_261_120;

/** Makes the pools; some milliseconds. */
export function createPools(): Pools {
  const random = new Random(POOL_SEED);
  const make = <T>(count: number, one: (random: Random, index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => one(random, index));
  return {
    users: make(2_000, makeUser),
    hosts: make(40, (_, index) => `FS${String(index + 1).padStart(2, '0')}`),
    paths: make(5_000, makePath),
    clientIps: make(1_000, makeClientIp),
    sddls: make(200, (random) => escapeJson(makeSddl(random))),
  };
}

function makeUser(random: Random, index: number): User {
  const first = random.pick(words.FIRST_NAMES);
  const last = random.pick(words.LAST_NAMES);
  const login = `${first}.${last}${index}`.toLowerCase();
  const rawAccount = `CORP\\${login}`;
  return {
    account: escapeJson(rawAccount),
    rawAccount,
    name: escapeJson(`${first} ${last}`),
    // Unix servers report a UID in the place of the SID.
    sid: random.oneIn(12) ? `${1000 + index}` : `S-1-5-21-1004336348-1177238915-682003330-${1100 + index}`,
    upn: escapeJson(`${login}@contoso.com`),
  };
}

function makePath(random: Random): FilePath {
  const share = random.pick(words.SHARES);
  const folders = Array.from({ length: 1 + random.int(4) }, () => random.pick(words.FOLDERS));
  const extension = random.pick(words.EXTENSIONS);
  const name = `${random.pick(words.FILE_STEMS)}-${random.int(10_000)}.${extension}`;
  const inShare = [...folders, name].join('\\');
  const rawLocal = `${random.pick(['C', 'D', 'E'])}:\\${share}\\${inShare}`;
  return {
    local: escapeJson(rawLocal),
    rawLocal,
    unc: escapeJson(`${share}\\${inShare}`),
    share: escapeJson(share),
    name: escapeJson(name),
    extension,
    url: escapeJson([...folders, name].join('/')),
    folderUrl: escapeJson(folders.join('/')),
  };
}

function makeClientIp(random: Random): string {
  const v4 = `10.${random.int(8)}.${random.int(256)}.${1 + random.int(254)}`;
  const v6 = `2001:db8:${random.int(65_536).toString(16)}::${(1 + random.int(65_535)).toString(16)}`;
  const port = 1024 + random.int(60_000);
  const untidy = [v6, `::ffff:${v4}`, `[${v6}]:${port}`, `${v4}:${port}`, '', 'unknown'];
  return untidy[random.int(60)] ?? v4;
}

function makeSddl(random: Random): string {
  const rights = ['FA', '0x1200a9', '0x1301bf', 'FR', 'FW'];
  const aces = Array.from({ length: 2 + random.int(4) }, () => {
    const flags = random.pick(['', 'OICI', 'OICIID', 'ID']);
    const trustee = random.pick([
      'SY',
      'BA',
      'BU',
      `S-1-5-21-1004336348-1177238915-682003330-${1100 + random.int(2_000)}`,
    ]);
    return `(${random.oneIn(9) ? 'D' : 'A'};${flags};${random.pick(rights)};;;${trustee})`;
  });
  return `O:BAG:DUD:${random.pick(['', 'PAI', 'AI'])}${aces.join('')}`;
}
