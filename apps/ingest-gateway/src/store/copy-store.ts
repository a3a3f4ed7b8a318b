import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type {
  Store,
  StoredAgent,
  StoredApiKey,
  StoredAuditEntry,
  StoredEnrollmentToken,
  StoredRejection,
  StoredRefusal,
} from './repositories.js';

/** What became of the entries of one kind. */
export interface CopiedTable {
  /** For people. */
  readonly name: string;
  /** Written to the target, in the place of others where those were there. */
  readonly copied: number;
  /** In the target already, as they are in the source. */
  readonly unchanged: number;
}

/** How to copy. */
export interface CopyOptions {
  /** Puts the source's entries in the place of different ones with the same key; others are kept. */
  readonly overwrite: boolean;
}

/** One kind of entry, by key. */
interface Table<T> {
  readonly name: string;
  list(store: Store): Promise<ReadonlyMap<string, T>>;
  put(store: Store, key: string, value: T): Promise<void>;
  /** What the target is to hold, given what it holds. */
  wanted(source: T, target: T | undefined): T;
  /** Whether what only the target has may be somebody's, and so speaks against a copy. */
  readonly exclusive: boolean;
}

const agents: Table<StoredAgent> = {
  name: 'agents',
  list: async (store) => new Map((await store.agents.list()).map((agent) => [agent.spkiHash, agent])),
  put: (store, _, agent) => store.agents.upsert(agent),
  wanted: (source, target) => ({ ...source, lastSeenAt: later(source.lastSeenAt, target?.lastSeenAt) }),
  exclusive: true,
};

const refusals: Table<StoredRefusal> = {
  name: 'refused keys',
  list: async (store) => new Map((await store.refusals.list()).map((refusal) => [refusal.spkiHash, refusal])),
  put: (store, _, refusal) => store.refusals.put(refusal),
  wanted: (source) => source,
  exclusive: true,
};

const tokens: Table<StoredEnrollmentToken> = {
  name: 'enrollment tokens',
  list: async (store) =>
    new Map((await store.enrollmentTokens.list()).map((token) => [token.codeHash, token])),
  put: (store, _, token) => store.enrollmentTokens.insert(token),
  wanted: (source) => source,
  exclusive: true,
};

const settings: Table<number | boolean> = {
  name: 'settings',
  list: (store) => store.settings.list(),
  put: (store, name, value) => store.settings.set(name, value),
  wanted: (source) => source,
  exclusive: true,
};

const apiKeys: Table<StoredApiKey> = {
  name: 'API keys',
  list: async (store) => new Map((await store.apiKeys.list()).map((key) => [key.id, key])),
  put: (store, _, key) => store.apiKeys.insert(key),
  wanted: (source, target) => ({ ...source, lastUsedAt: later(source.lastUsedAt, target?.lastUsedAt) }),
  exclusive: true,
};

/** More than any trail holds, which are trimmed. */
const ALL_ENTRIES = 10_000_000;

/** Two trails together are still a trail: each entry says what happened to one of both. */
const audit: Table<StoredAuditEntry> = {
  name: 'audit entries',
  list: async (store) =>
    new Map((await store.audit.list({ limit: ALL_ENTRIES })).map((entry) => [entry.id, entry])),
  put: (store, _, entry) => store.audit.append(entry),
  wanted: (source) => source,
  exclusive: false,
};

/** Of counts that both have, the larger one: done again, a copy must not add them up once more. */
const rejections: Table<StoredRejection> = {
  name: 'rejected attempts',
  list: async (store) =>
    new Map((await store.audit.listRejections({ limit: ALL_ENTRIES })).map((each) => [each.id, each])),
  put: (store, _, rejection) => store.audit.putRejection(rejection),
  wanted: (source, target) => (target !== undefined && target.count > source.count ? target : source),
  exclusive: false,
};

/** Writes at a time: each of them waits for the target's disk. */
const CONCURRENCY = 20;

/**
 * Copies agents, refused keys, enrollment tokens, settings, API keys and the audit trail. Done again it changes nothing, so one that was broken off is simply
 * repeated. The facts of the one gateway are not copied: they stay in its data directory.
 * @throws GatewayError `STORE_NOT_EMPTY`, before anything is written, when the target holds something else;
 *   `STORE_COPY_INCOMPLETE` when it does not hold everything afterwards; `STORE_UNAVAILABLE`
 */
export async function copyStore(from: Store, to: Store, options: CopyOptions): Promise<CopiedTable[]> {
  const plans = [
    await planTable(agents, from, to),
    await planTable(refusals, from, to),
    await planTable(tokens, from, to),
    await planTable(settings, from, to),
    await planTable(apiKeys, from, to),
    await planTable(audit, from, to),
    await planTable(rejections, from, to),
  ];
  const foreign = plans.filter((plan) => plan.foreign > 0);
  if (foreign.length > 0 && !options.overwrite) {
    throw notEmpty(foreign.map(({ name, foreign: count }) => `${count} ${name}`).join(', '));
  }
  const report: CopiedTable[] = [];
  for (const plan of plans) report.push(await plan.run());
  return report;
}

interface Plan {
  readonly name: string;
  /** Entries of the target that the source lacks or has otherwise. */
  readonly foreign: number;
  run(): Promise<CopiedTable>;
}

async function planTable<T>(table: Table<T>, from: Store, to: Store): Promise<Plan> {
  const [source, target] = [await table.list(from), await table.list(to)];
  const missing = missingOf(table, source, target);
  const same = source.size - missing.length;
  return {
    name: table.name,
    foreign: table.exclusive ? target.size - same : 0,
    run: async () => {
      for (let at = 0; at < missing.length; at += CONCURRENCY) {
        const some = missing.slice(at, at + CONCURRENCY);
        await Promise.all(some.map(([key, value]) => table.put(to, key, value)));
      }
      const left = missingOf(table, source, await table.list(to)).length;
      if (left > 0) throw incomplete(left, table.name);
      return { name: table.name, copied: missing.length, unchanged: same };
    },
  };
}

/** What has to be written so that the target holds the source's entries. */
function missingOf<T>(
  table: Table<T>,
  source: ReadonlyMap<string, T>,
  target: ReadonlyMap<string, T>,
): [string, T][] {
  return [...source]
    .map(([key, value]): [string, T] => [key, table.wanted(value, target.get(key))])
    .filter(([key, value]) => !target.has(key) || !isDeepStrictEqual(plain(value), plain(target.get(key))));
}

/** As data alone: how a store has made an object is no difference. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function later(one: number | null, other: number | null | undefined): number | null {
  if (one === null || other === null || other === undefined) return one ?? other ?? null;
  return Math.max(one, other);
}

function notEmpty(what: string): GatewayError {
  return new GatewayError(
    'STORE_NOT_EMPTY',
    `The target holds what the source does not, or holds otherwise: ${what}. Nothing was copied.`,
    "Copy to another database, or give --overwrite: the source's entries then take the place of those with the same key.",
  );
}

function incomplete(left: number, name: string): GatewayError {
  return new GatewayError(
    'STORE_COPY_INCOMPLETE',
    `After the copy the target lacks ${left} ${name}; something else changes it or the source.`,
    'Stop the gateways that use either, and copy again.',
  );
}
