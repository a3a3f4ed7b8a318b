import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError, type Logger } from '../api/index.js';
import { sleep } from '../helpers/index.js';
import { readCatalog, type Catalog } from './catalog.js';
import {
  DATA_FILE,
  LOCK_FILE,
  openRoot,
  openTables,
  type DatabaseOptions,
  type SpoolDatabase,
} from './database.js';
import { SPOOL_FORMAT } from './format.js';
import { isDamage, setAside } from './damage.js';
import { checkFile } from './file-header.js';
import { makeLockFile } from './lock-file.js';
import { claim } from './owner.js';

/** A spool file that is open, claimed and read. */
export interface OpenedSpool {
  readonly database: SpoolDatabase;
  readonly catalog: Catalog;
  /** Gives the claim back. */
  readonly release: () => void;
}

/** How long a reactor that ended may take to let go of its spool, ms. */
const CLAIM_WAIT_MS = 15_000;
const CLAIM_EVERY_MS = 100;
const FORMAT_KEY = 'format';

/**
 * Opens the spool in a directory, and makes it where there is none. Waits for a holder that is ending.
 * @throws GatewayError `SPOOL_IN_USE`, `SPOOL_FORMAT_NEWER` (nothing is touched), `SPOOL_UNUSABLE`
 */
export async function openSpoolFile(
  options: DatabaseOptions,
  logger: Logger,
  signal: AbortSignal,
  waitMs = CLAIM_WAIT_MS,
): Promise<OpenedSpool> {
  const { directory } = options;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    checkHealth(directory, logger);
    try {
      return await openPresent(options, signal, waitMs);
    } catch (error) {
      if (!isDamage(error)) throw error;
      setAside(directory, logger, (error as Error).message);
      return await openPresent(options, signal, waitMs);
    }
  } catch (error) {
    throw error instanceof GatewayError ? error : unusable(directory, error);
  }
}

function checkHealth(directory: string, logger: Logger): void {
  const health = checkFile(join(directory, DATA_FILE));
  if (health === 'foreign') throw foreign(directory);
  if (health === 'damaged') setAside(directory, logger, 'it is no spool file, or its front is damaged');
}

/** Opens what is there; when that was removed while it was waited for, what is there then. */
async function openPresent(
  options: DatabaseOptions,
  signal: AbortSignal,
  waitMs: number,
): Promise<OpenedSpool> {
  const end = performance.now() + waitMs;
  for (;;) {
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const opened = await tryOpen(options, signal, end);
    if (opened !== 'removed') return opened;
  }
}

async function tryOpen(
  options: DatabaseOptions,
  signal: AbortSignal,
  end: number,
): Promise<OpenedSpool | 'removed'> {
  makeLockFile(options.directory);
  const root = openRoot(options);
  try {
    const files = filesOf(options.directory);
    const meta = root.openDB<Buffer, string>({ name: 'meta', encoding: 'binary', create: false } as never) as
      { get(key: string): Buffer | undefined } | undefined;
    checkFormat(meta?.get(FORMAT_KEY), options.directory);
    const database = openTables(root);
    const isThere = (): boolean => files !== undefined && filesOf(options.directory) === files;
    const release = await claimSoon(database, options.directory, isThere, signal, end);
    if (release === undefined) {
      await root.close();
      return 'removed';
    }
    // At once: an asynchronous write would keep the file from being closed at once, whenever that is.
    if (meta === undefined) database.tables.meta.putSync(FORMAT_KEY, Buffer.from(String(SPOOL_FORMAT)));
    return { database, catalog: await readCatalog(database), release };
  } catch (error) {
    await root.close();
    throw error;
  }
}

function checkFormat(record: Buffer | undefined, directory: string): void {
  const format = record === undefined ? SPOOL_FORMAT : Number(record.toString());
  if (format <= SPOOL_FORMAT) return;
  throw new GatewayError(
    'SPOOL_FORMAT_NEWER',
    `The spool in ${directory} has format ${format}; this version of the gateway knows formats up to ${SPOOL_FORMAT}.`,
    'Start the version that wrote it, let it write everything out, and try again. Nothing was changed.',
  );
}

/** Claims the spool as soon as nobody else does; `undefined` when its files are not there any more. */
async function claimSoon(
  database: SpoolDatabase,
  directory: string,
  isThere: () => boolean,
  signal: AbortSignal,
  end: number,
): Promise<(() => void) | undefined> {
  while (isThere()) {
    try {
      const release = claim(database, directory);
      // It may have been removed between the look and the claim, by a process that has ended since.
      if (isThere()) return release;
      release();
      return undefined;
    } catch (error) {
      if (!(error instanceof GatewayError) || performance.now() > end || signal.aborted) throw error;
    }
    await sleep(CLAIM_EVERY_MS, signal);
  }
  return undefined;
}

/** Which files a spool's directory holds: others of the same names are others. `undefined` when one is missing. */
function filesOf(directory: string): string | undefined {
  const ids = [DATA_FILE, LOCK_FILE].map((name) => {
    const stats = statSync(join(directory, name), { throwIfNoEntry: false });
    return stats && `${stats.dev}:${stats.ino}`;
  });
  return ids.includes(undefined) ? undefined : ids.join(' ');
}

function unusable(directory: string, error: unknown): GatewayError {
  return new GatewayError(
    'SPOOL_UNUSABLE',
    `The spool in ${directory} cannot be opened: ${(error as Error).message}`,
    'Make sure that this user may write there, and that the disk is not full.',
    { cause: error },
  );
}

function foreign(directory: string): GatewayError {
  return new GatewayError(
    'SPOOL_FORMAT_NEWER',
    `The spool in ${directory} was written by another version of its database.`,
    'Start the version of the gateway that wrote it, and let it write everything out. Nothing was changed.',
  );
}
