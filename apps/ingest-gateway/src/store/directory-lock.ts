import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { ownIdentity, sleep, stateOf } from '@activity-gateway/pipeline/helpers';
import { LockPatience, type LockHolder, type LockWait } from './lock-patience.js';

/** A directory held by this process. */
export interface DirectoryLock {
  /** Says in the lock that this process is about to end, so that the next one waits for it. Does not reject. */
  stopping(): Promise<void>;
  /** Gives the directory free; safe twice. */
  release(): Promise<void>;
}

const FILE = 'gateway.lock';
/** Holders on another host (another container on the same volume) are known to live by the age of their file. */
const REFRESH_MS = 5_000;
const FOREIGN_STALE_MS = 25_000;
const ATTEMPTS = 10;
/** How often other contenders are looked for, ms. */
const SETTLE_MS = 20;
/** Far longer than a contender needs from its draft to its decision, ms: an older draft is of one that was killed. */
const DRAFT_STALE_MS = 10_000;

/**
 * Takes a directory for this process, so that no second gateway works on the same data. Survives kill -9: a lock is
 * stale when its process is gone, when its id belongs to a later process, or, where neither can be known (another host,
 * another container), after 25 s of silence.
 * @param wait how to wait for a holder that may be about to end; without it nothing is waited for
 * @throws GatewayError `DATA_DIR_IN_USE` while another holder lives, `DATA_DIR_UNUSABLE` when nothing can be written there,
 *   `START_ABORTED` when the wait is called off
 */
export async function acquireDirectoryLock(dir: string, wait?: LockWait): Promise<DirectoryLock> {
  const path = join(dir, FILE);
  const own: LockHolder = { id: randomUUID(), ...ownIdentity(), since: new Date().toISOString() };
  const patience = new LockPatience(wait);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (;;) {
      const holder = await take(path, own, patience);
      if (holder === undefined) return hold(path, own);
      if (!(await patience.waits(path, holder))) throw inUse(path, holder);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw unusable(dir, error as Error);
  }
}

/** Takes the lock, or gives the holder that lives. */
async function take(path: string, own: LockHolder, patience: LockPatience): Promise<LockHolder | undefined> {
  const draft = `${path}.${own.id}`;
  await writeFile(draft, `${JSON.stringify(own)}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // It may be ours without a link of this turn: whoever moved it aside by mistake has put it back.
      const ours = (await linked(draft, path)) || (await read(path))?.holder?.id === own.id;
      if (ours && (await isSettled(path, own))) return undefined;
      const holder = await removeStale(path, own, patience);
      if (holder !== undefined) return holder;
    }
    throw new Error(`${path} changes hands all the time`);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * A contender that has read a stale lock before may move ours aside by mistake. Each has its draft from before it reads
 * until it has decided: so ours is trusted when it is there and no other draft is.
 */
async function isSettled(path: string, own: LockHolder): Promise<boolean> {
  for (;;) {
    if ((await read(path))?.holder?.id !== own.id) return false;
    if (!(await othersContend(path, own))) return (await read(path))?.holder?.id === own.id;
    await sleep(SETTLE_MS);
  }
}

async function othersContend(path: string, own: LockHolder): Promise<boolean> {
  const names = await readdir(dirname(path));
  const drafts = names.filter((name) => name.startsWith(`${FILE}.`) && !name.includes(own.id));
  const ages = await Promise.all(drafts.map((name) => ageMs(join(dirname(path), name))));
  return ages.some((age) => age < DRAFT_STALE_MS);
}

/** Age of a file, ms; endless for one that is gone. */
async function ageMs(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch {
    return Infinity;
  }
}

/** A link appears with its whole content and fails if the name exists: no reader sees half a lock. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose holder is gone; gives the holder of one that lives. */
async function removeStale(
  path: string,
  own: LockHolder,
  patience: LockPatience,
): Promise<LockHolder | undefined> {
  const before = await read(path);
  if (before === undefined || before.holder?.id === own.id) return undefined;
  const { holder } = before;
  if (holder !== undefined && lives(holder, patience.silentMs(before))) return holder;
  // Renaming first makes one contender the remover; what it moved is looked at again, in case it was a new lock.
  const aside = `${path}.${own.id}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const moved = await read(aside);
  if (moved?.text !== before.text) await linked(aside, path);
  await rm(aside, { force: true });
  return undefined;
}

function lives(holder: LockHolder, silentMs: number): boolean {
  const state = stateOf(holder);
  return state === 'unknown' ? silentMs < FOREIGN_STALE_MS : state === 'running';
}

interface Found {
  readonly text: string;
  /** When its holder refreshed it last, by the holder's clock; ms since 1970-01-01 UTC. */
  readonly mtimeMs: number;
  readonly holder?: LockHolder;
}

async function read(path: string): Promise<Found | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const holder = parse(text);
    return holder === undefined ? { text, mtimeMs } : { text, mtimeMs, holder };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that a full disk or a person has damaged names no holder, and nothing could ever free it. */
function parse(text: string): LockHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockHolder>;
    return typeof value.pid === 'number' && typeof value.host === 'string'
      ? (value as LockHolder)
      : undefined;
  } catch {
    return undefined;
  }
}

function hold(path: string, own: LockHolder): DirectoryLock {
  const timer = setInterval(() => {
    const now = new Date();
    // Only the age is refreshed: a failure here shows at the next write of data anyway.
    void utimes(path, now, now).catch(() => undefined);
  }, REFRESH_MS);
  timer.unref();
  return {
    async stopping() {
      const draft = `${path}.${own.id}.stopping`;
      try {
        if ((await read(path))?.holder?.id !== own.id) return;
        await writeFile(draft, `${JSON.stringify({ ...own, stopping: true })}\n`, { mode: 0o600 });
        await rename(draft, path);
      } catch {
        // The next one then waits less long: on a full disk, say.
        await rm(draft, { force: true }).catch(() => undefined);
      }
    },
    async release() {
      clearInterval(timer);
      const current = await read(path).catch(() => undefined);
      if (current?.holder?.id === own.id) await rm(path, { force: true });
    },
  };
}

function inUse(path: string, holder: LockHolder): GatewayError {
  return new GatewayError(
    'DATA_DIR_IN_USE',
    `Another gateway uses this data directory: process ${holder.pid} on ${holder.host}, since ${holder.since} (${path}).`,
    'Stop it, or give this one another directory with GATEWAY_DATA_DIR.',
  );
}

function unusable(dir: string, error: Error): GatewayError {
  return new GatewayError(
    'DATA_DIR_UNUSABLE',
    `The data directory ${dir} cannot be used: ${error.message}`,
    'Make sure that this user may write there, or set GATEWAY_DATA_DIR to another directory.',
    { cause: error },
  );
}
