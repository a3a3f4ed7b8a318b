import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** What the front of a spool file says of it. */
export type FileHealth = 'new' | 'good' | 'damaged' | 'foreign';

/** The two roots of an lmdb file, of which the newer one holds: `MDB_meta` in lmdb's mdb.c, data version 2. */
const META_BYTES = 0xa0;
const AT = {
  flags: 0x12,
  magic: 0x18,
  version: 0x1c,
  pageSize: 0x30,
  mainRoot: 0x88,
  lastPage: 0x90,
  txn: 0x98,
};
const META_PAGE = 0x08;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const NO_ROOT = 2n ** 64n - 1n;
/** Pages at the end that a file may lack: they were taken and given back in one transaction, and never written. */
const UNWRITTEN_PAGES = 64;

interface Meta {
  readonly pageSize: number;
  readonly mainRoot: bigint;
  readonly lastPage: bigint;
  readonly txn: bigint;
}

/**
 * Looks at the front of a spool file before lmdb does, which may end the process over a file that is none of its own, or
 * that was cut short: reading beyond the end of a mapped file ends the process, so the file is made as long as it says.
 * @param readOnly changes nothing: a file that lacks pages at its end counts as damaged
 */
export function checkFile(path: string, readOnly = false): FileHealth {
  let file: number;
  try {
    file = openSync(path, readOnly ? 'r' : 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'new';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return 'new';
    const first = readMeta(file, 0);
    const second = typeof first === 'string' ? first : readMeta(file, first.pageSize);
    if (typeof first === 'string' || typeof second === 'string')
      return first === 'foreign' ? 'foreign' : 'damaged';
    const { pageSize, mainRoot, lastPage } = first.txn > second.txn ? first : second;
    if (mainRoot !== NO_ROOT && mainRoot > lastPage) return 'damaged';
    const told = (Number(lastPage) + 1) * pageSize;
    if (told - size > (readOnly ? 0 : UNWRITTEN_PAGES * pageSize)) return 'damaged';
    if (told > size) ftruncateSync(file, told);
    return 'good';
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, at: number): Meta | 'foreign' | 'damaged' {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(file, bytes, 0, META_BYTES, at) < META_BYTES) return 'damaged';
  const view = new DataView(bytes.buffer, bytes.byteOffset, META_BYTES);
  const little = endianness() === 'LE';
  const number = (offset: number): bigint => view.getBigUint64(offset, little);
  if ((view.getUint16(AT.flags, little) & META_PAGE) === 0) return 'damaged';
  if (view.getUint32(AT.magic, little) !== MAGIC) return 'damaged';
  if ((view.getUint32(AT.version, little) & 0xffff) !== VERSION) return 'foreign';
  const pageSize = view.getUint32(AT.pageSize, little);
  if (pageSize < 512 || pageSize > 65_536) return 'damaged';
  return { pageSize, mainRoot: number(AT.mainRoot), lastPage: number(AT.lastPage), txn: number(AT.txn) };
}
