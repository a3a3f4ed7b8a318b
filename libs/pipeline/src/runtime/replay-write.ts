import { createHash } from 'node:crypto';
import { PartialWriteError, PermanentError, type EncodedEntry, type Sink } from '../api/index.js';
import { Backoff, sleep } from '../helpers/index.js';
import { readWriteFailure } from './write-failure.js';

/** Attempts for a write whose outcome is unknown; the replay then says that it has failed. */
const ATTEMPTS = 4;
const BACKOFF = { initialMs: 200, maxMs: 2_000 };

/** What became of an entry of one replayed event. */
export interface EntryResult {
  readonly entry: EncodedEntry;
  readonly outcome: 'replayed' | 'stored' | 'refused' | 'failed';
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Writes entries of one row each for one destination. A sink that recovers leaves alone what is stored under their ids, and
 * names the entries that are to blame for a refusal; for another one, refused entries are divided. Does not throw.
 */
export async function writeReplayed(
  sink: Pick<Sink, 'write' | 'recover'>,
  entries: readonly EncodedEntry[],
  signal: AbortSignal,
): Promise<EntryResult[]> {
  if (sink.recover === undefined) return writeOrDivide(sink, entries, signal);
  try {
    const recover = sink.recover.bind(sink);
    const why = { uncertain: true };
    const { found, rejected } = await persist(() => recover(entries, tokenOf(entries), why, signal), signal);
    const refused = new Map(rejected.map((row) => [row.entry, row]));
    return entries.map((entry, index): EntryResult => {
      if ((found[index] ?? 0) > 0) return { entry, outcome: 'stored' };
      const row = refused.get(index);
      if (row === undefined) return { entry, outcome: 'replayed' };
      return { entry, outcome: 'refused', error: { code: row.sinkCode, message: row.message } };
    });
  } catch (error) {
    return entries.map((entry) => failed(entry, 'failed', error));
  }
}

async function writeOrDivide(
  sink: Pick<Sink, 'write'>,
  entries: readonly EncodedEntry[],
  signal: AbortSignal,
): Promise<EntryResult[]> {
  const [first] = entries;
  if (first === undefined) return [];
  try {
    await persist(() => sink.write(entries, tokenOf(entries), signal), signal);
    return entries.map((entry) => ({ entry, outcome: 'replayed' }));
  } catch (error) {
    if (!(error instanceof PartialWriteError)) return entries.map((entry) => failed(entry, 'failed', error));
    if (entries.length === 1) return [failed(first, 'refused', error)];
    const middle = entries.length >> 1;
    return [
      ...(await writeOrDivide(sink, entries.slice(0, middle), signal)),
      ...(await writeOrDivide(sink, entries.slice(middle), signal)),
    ];
  }
}

/** The same entries have the same token, in whatever replay: two at once store them once. */
function tokenOf(entries: readonly EncodedEntry[]): string {
  const hash = createHash('sha256');
  for (const { id = '' } of entries) hash.update(`${id}\n`);
  return `replay/${entries[0]?.destination ?? ''}/${hash.digest('hex')}`;
}

/** Tries again what is worth another try. @throws what the last attempt threw */
async function persist<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const backoff = new Backoff(BACKOFF);
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      const final = error instanceof PermanentError || error instanceof PartialWriteError;
      if (final || left === 0 || signal.aborted) throw error;
      await sleep(backoff.next(), signal);
    }
  }
}

function failed(entry: EncodedEntry, outcome: 'refused' | 'failed', error: unknown): EntryResult {
  const { code, reason } = readWriteFailure(error);
  return { entry, outcome, error: { code, message: reason } };
}
