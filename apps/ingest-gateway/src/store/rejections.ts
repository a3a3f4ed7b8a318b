import type { AuditQuery, StoredRejection } from './repositories.js';

/** What two counts of one cause from one address come to: the latest says who and what. */
export function addRejections(some: StoredRejection | undefined, more: StoredRejection): StoredRejection {
  if (some === undefined) return more;
  return {
    ...(some.at > more.at ? some : more),
    firstAt: Math.min(some.firstAt, more.firstAt),
    count: some.count + more.count,
  };
}

/** Those that fit, the latest first. */
export function selectRejections(
  all: readonly StoredRejection[],
  { from, to, action, limit }: AuditQuery,
): StoredRejection[] {
  const fits = ({ at, action: name }: StoredRejection): boolean =>
    (from === undefined || at >= from) && (to === undefined || at < to) && (action ?? name) === name;
  return latestFirst(all.filter(fits)).slice(0, limit);
}

/** Ids of those beyond the latest so many. */
export function surplusRejections(all: readonly StoredRejection[], keep: number): string[] {
  return latestFirst(all)
    .slice(keep)
    .map(({ id }) => id);
}

function latestFirst(all: readonly StoredRejection[]): StoredRejection[] {
  return [...all].sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
}
