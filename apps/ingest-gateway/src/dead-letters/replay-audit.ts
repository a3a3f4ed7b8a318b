import { iso } from '../admin/iso.js';
import type { ReplayReport } from './replay-report.js';
import type { ReplayRequest } from './replay-request.js';

/** What a replay acts on, for the audit trail: its filter as text, `all` without one. The trail cuts long ones. */
export function replayTarget({ filter }: Pick<ReplayRequest, 'filter'>): string {
  const parts = Object.entries(readable(filter)).map(([name, value]) => `${name}=${String(value)}`);
  return parts.length === 0 ? 'all' : parts.join(' ');
}

/** What a replay did, for the audit trail; of ids only their number, which keeps an entry small. */
export function replayResult({ filter, limit }: ReplayRequest, report: ReplayReport): object {
  const { ids, ...rest } = readable(filter);
  const { replayed, alreadyStored, refused, failed, skipped } = report;
  return {
    filter: { ...rest, ...(ids !== undefined && { ids: ids.length }) },
    limit,
    replayed,
    alreadyStored,
    refused,
    failed,
    skipped,
  };
}

/** Times as the API writes them. */
function readable({ from, to, ...rest }: ReplayRequest['filter']): Omit<
  ReplayRequest['filter'],
  'from' | 'to'
> & {
  readonly from?: string;
  readonly to?: string;
} {
  return {
    ...rest,
    ...(from !== undefined && { from: iso(from) }),
    ...(to !== undefined && { to: iso(to) }),
  };
}
