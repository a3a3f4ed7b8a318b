import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openSpool,
  type CompletedEntries,
  type NewEntry,
  type Spool,
  type SpoolOptions,
} from '../spool/index.js';
import { createRecordingLogger, type RecordingLogger } from './recording-logger.js';

/** A directory for spools, and what they told. */
export interface SpoolRig {
  readonly directory: string;
  readonly logger: RecordingLogger;
  /** What `written` and `lost` were told, in order. */
  readonly ended: (CompletedEntries & { readonly how: 'written' | 'lost' })[];
  /** Opens the spool; writes on the calling thread. */
  open(changes?: Partial<SpoolOptions>): Promise<Spool>;
  /** Closes what is open and removes the directory. */
  dispose(): Promise<void>;
}

/** Makes an empty directory for a spool. */
export function createSpoolRig(): SpoolRig {
  const directory = mkdtempSync(join(tmpdir(), 'spool-'));
  const logger = createRecordingLogger();
  const ended: (CompletedEntries & { how: 'written' | 'lost' })[] = [];
  const open: Spool[] = [];
  return {
    directory,
    logger,
    ended,
    async open(changes = {}) {
      const spool = await openSpool({
        directory,
        limits: { maxBytes: 2 ** 30, diskReserveBytes: 0 },
        logger,
        events: {
          written: (one) => void ended.push({ ...one, how: 'written' }),
          lost: (one) => void ended.push({ ...one, how: 'lost' }),
          flushed: () => undefined,
          changed: () => undefined,
        },
        thread: false,
        now: () => Date.now(),
        signal: new AbortController().signal,
        ...changes,
      });
      open.push(spool);
      return spool;
    },
    async dispose() {
      for (const spool of open.splice(0)) await spool.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** An entry with a text as its bytes. */
export function spoolEntry(
  id: string,
  text: string,
  { sink = 'main', destination = 'table', rows = 1, receivedAt = Date.now() } = {},
): NewEntry {
  return { sink, id, receivedAt, entry: { destination, rows, bytes: Buffer.from(text) } };
}
