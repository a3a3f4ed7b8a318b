import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { GatewayError } from '@app/pipeline/api';
import { sleep } from '@app/pipeline/helpers';
import { isRunning, processStart } from './process-identity.js';

/** A directory held by this process. */
export interface DirectoryLock {
  /** Gives the directory free; safe twice. */
  release(): Promise<void>;
}

/** What a lock file says of its holder. */
interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly processStart?: string;
  readonly since: string;
}

const FILE = 'gateway.lock';
/** Holders on another host (another container on the same volume) are known to live by the age of their file. */
const REFRESH_MS = 5_000;
const FOREIGN_STALE_MS = 30_000;
const ATTEMPTS = 10;
/** How often other contenders are looked for, ms. */
const SETTLE_MS = 20;
/** Far longer than a contender needs from its draft to its decision, ms: an older draft is of one that was killed. */
const DRAFT_STALE_MS = 10_000;

/**
 * Takes a directory for this process, so that no second gateway works on the same data. Survives kill -9: a lock is
 * stale when its process is gone, when its id belongs to a later process, or, for another host, after 30 s of silence.
 * @throws GatewayError `DATA_DIR_IN_USE` while another holder lives, `DATA_DIR_UNUSABLE` when nothing can be written there
 */
export async function acquireDirectoryLock(dir: string): Promise<DirectoryLock> {
  const path = join(dir, FILE);
  const own: Holder = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid),
    since: new Date().toISOString(),
  };
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await take(path, own);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw unusable(dir, error as Error);
  }
  return hold(path, own);
}

async function take(path: string, own: Holder): Promise<void> {
  const draft = `${path}.${own.id}`;
  await writeFile(draft, `${JSON.stringify(own)}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // It may be ours without a link of this turn: whoever moved it aside by mistake has put it back.
      const ours = (await linked(draft, path)) || (await read(path))?.holder?.id === own.id;
      if (ours && (await isSettled(path, own))) return;
      await removeStale(path, own);
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
async function isSettled(path: string, own: Holder): Promise<boolean> {
  for (;;) {
    if ((await read(path))?.holder?.id !== own.id) return false;
    if (!(await othersContend(path, own))) return (await read(path))?.holder?.id === own.id;
    await sleep(SETTLE_MS);
  }
}

async function othersContend(path: string, own: Holder): Promise<boolean> {
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

async function removeStale(path: string, own: Holder): Promise<void> {
  const before = await read(path);
  if (before === undefined) return;
  if (before.holder?.id === own.id) return;
  if (before.holder !== undefined && lives(before.holder, before.ageMs)) throw inUse(path, before.holder);
  // Renaming first makes one contender the remover; what it moved is looked at again, in case it was a new lock.
  const aside = `${path}.${own.id}.stale`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await read(aside);
  if (moved?.text !== before.text) await linked(aside, path);
  await rm(aside, { force: true });
}

function lives(holder: Holder, ageMs: number): boolean {
  if (holder.host !== hostname()) return ageMs < FOREIGN_STALE_MS;
  if (!isRunning(holder.pid)) return false;
  return holder.processStart === undefined || holder.processStart === processStart(holder.pid);
}

async function read(path: string): Promise<{ text: string; ageMs: number; holder?: Holder } | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { text, ageMs: Date.now() - mtimeMs, holder: parse(text) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that a full disk or a person has damaged names no holder, and nothing could ever free it. */
function parse(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    return typeof value.pid === 'number' && typeof value.host === 'string' ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function hold(path: string, own: Holder): DirectoryLock {
  const timer = setInterval(() => {
    const now = new Date();
    // Only the age is refreshed: a failure here shows at the next write of data anyway.
    void utimes(path, now, now).catch(() => undefined);
  }, REFRESH_MS);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      const current = await read(path).catch(() => undefined);
      if (current?.holder?.id === own.id) await rm(path, { force: true });
    },
  };
}

function inUse(path: string, holder: Holder): GatewayError {
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
