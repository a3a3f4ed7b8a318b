import type { Logger } from '@activity-gateway/pipeline/api';
import type { PipelineFlow } from './pipeline-flow.js';

/** How often an outage is told of again, ms. */
const REPEAT_MS = 300_000;
/** A sink that only fails now and then is no outage: so old have events to be beyond their usual wait, ms. */
const LATE_MS = 10_000;

/** What an outage is recognized by. */
export interface OutageSigns {
  readonly flow: PipelineFlow;
  /** Why the destination is known to be down, whether or not events wait; nothing where it is not. */
  readonly down?: string;
  /** The longest that events wait for their write when all is well, ms. */
  readonly usualWaitMs: number;
  /** Any clock that does not jump, ms. */
  readonly now: number;
}

interface Mark {
  readonly rows: number;
  readonly spoolBytes: number;
  readonly at: number;
}

interface Outage {
  readonly since: number;
  readonly reason: string;
  told: Mark;
}

/** Tells the night shift of one pipeline's outage: at once, every 5 minutes with what has piled up, and its end. */
export class OutageWatch {
  #outage: Outage | undefined;
  #written: number | undefined;

  constructor(private readonly logger: Logger) {}

  /** To be called every few seconds. */
  look(signs: OutageSigns): void {
    const { flow, now } = signs;
    // The first look has nothing to compare with.
    const progress = flow.written !== this.#written;
    this.#written = flow.written;
    const reason = reasonOf(signs, progress);
    if (this.#outage === undefined) {
      if (reason !== undefined) this.#begin(reason, signs);
    } else if (reason === undefined && (progress || flow.failing.length === 0)) {
      this.#end(this.#outage, signs);
    } else if (now - this.#outage.told.at >= REPEAT_MS) {
      this.#repeat(this.#outage, reason, signs);
    }
  }

  #begin(reason: string, { flow, now }: OutageSigns): void {
    this.#outage = { since: now, reason, told: markOf(flow, now) };
    this.logger.warn({ ...backlog(flow), reason }, 'Delivery interrupted; events wait');
  }

  #repeat(outage: Outage, reason: string | undefined, { flow, now }: OutageSigns): void {
    const before = outage.told;
    outage.told = markOf(flow, now);
    const fields = {
      ...backlog(flow),
      ...growth(flow, before, outage.told),
      outageSeconds: seconds(now - outage.since),
      reason: reason ?? outage.reason,
    };
    this.logger.warn(fields, 'Delivery still interrupted');
  }

  #end({ since }: Outage, { flow, now }: OutageSigns): void {
    this.#outage = undefined;
    this.logger.info({ ...backlog(flow), outageSeconds: seconds(now - since) }, 'Delivery resumed');
  }
}

function reasonOf({ flow, down, usualWaitMs }: OutageSigns, progress: boolean): string | undefined {
  if (down !== undefined) return down;
  if (progress || flow.rows === 0) return undefined;
  const failed = flow.failing.find(({ state }) => state === 'failed');
  if (failed !== undefined) return failed.reason ?? `${failed.id} has failed.`;
  const late = flow.oldestMs > usualWaitMs + LATE_MS;
  return late ? flow.failing[0]?.reason : undefined;
}

function markOf({ rows, spool }: PipelineFlow, at: number): Mark {
  return { rows, spoolBytes: spool?.bytes ?? 0, at };
}

function backlog({ pipeline, rows, bytes, oldestMs }: PipelineFlow): object {
  return { pipeline, events: rows, bytes, oldestSeconds: seconds(oldestMs) };
}

/** Since it was told last; when the spool is full follows from what it takes of the disk, which is more than the events. */
function growth({ spool }: PipelineFlow, before: Mark, now: Mark): object {
  const minutes = (now.at - before.at) / 60_000;
  const grown = now.spoolBytes - before.spoolBytes;
  const free = spool === undefined ? undefined : Math.max(0, spool.maxBytes - spool.bytes);
  return {
    eventsPerMinute: Math.round((now.rows - before.rows) / minutes),
    bytesPerMinute: Math.round(grown / minutes),
    ...(free !== undefined && grown > 0 && { spoolFullInSeconds: Math.round((free / grown) * minutes * 60) }),
  };
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
