import { PartialWriteError, RetryableError } from '@activity-gateway/pipeline/api';
import type { EncodedEntry, EventType, RecoveryCause, Sink } from '@activity-gateway/pipeline/api';
import { rejectedItems } from '../../libs/pipeline/src/runtime/rejected-rows.js';

const ATTEMPTS = 60;
const signal = new AbortController().signal;
let batches = 0;

/** What has become of a batch. */
export interface HostReport {
  /** Dead letters by code. */
  readonly deadLettered: ReadonlyMap<string, number>;
}

/** Recovers a batch, and writes dead letters of rejected rows with the same sink, as a host without a spool would. */
export async function recoverAsHost(
  sink: Sink,
  entries: readonly EncodedEntry[],
  token: string,
  why: RecoveryCause,
  eventTypes: readonly EventType[],
): Promise<HostReport> {
  const { rejected = [] } = (await sink.recover?.(entries, token, why, signal)) ?? {};
  const deadLettered = new Map<string, number>();
  for (const { code } of rejected) deadLettered.set(code, (deadLettered.get(code) ?? 0) + 1);
  const options = {
    pipeline: 'activity',
    sink: { name: 'clickhouse', plugin: sink },
    eventTypes,
    idPrefix: `host/${String((batches += 1)).padStart(10, '0')}`,
  };
  const items = rejectedItems(options, { destination: entries[0]?.destination ?? '' }, rejected);
  if (items.length > 0)
    await persist(
      sink,
      items.map(({ entry }) => entry),
      `${options.idPrefix}/letters`,
    );
  return { deadLettered };
}

/** Writes a batch, and recovers it when rows are refused; `undefined` when it is written as a whole. */
export async function storeAsHost(
  sink: Sink,
  entries: readonly EncodedEntry[],
  token: string,
  eventTypes: readonly EventType[],
): Promise<HostReport | undefined> {
  try {
    await sink.write(entries, token, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof PartialWriteError)) throw error;
    return recoverAsHost(sink, entries, token, { refusal: error, uncertain: false }, eventTypes);
  }
}

async function persist(sink: Sink, entries: readonly EncodedEntry[], token: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sink.write(entries, token, signal);
    } catch (error) {
      if (!(error instanceof RetryableError) || attempt === ATTEMPTS) throw error;
    }
  }
}
