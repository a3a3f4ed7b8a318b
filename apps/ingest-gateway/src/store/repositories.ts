/** An agent that may stream, as it is stored. Times are milliseconds since 1970-01-01 UTC. */
export interface StoredAgent {
  /** Key: 64 lower-case hex digits. */
  readonly spkiHash: string;
  readonly hostname: string;
  /** Where it enrolled from; empty when it was added by hand. */
  readonly sourceIp: string;
  readonly enrolledAt: number;
  readonly lastSeenAt: number | null;
  readonly agentVersion: string | null;
}

/** The allowlist. */
export interface AgentRepository {
  list(): Promise<StoredAgent[]>;
  get(spkiHash: string): Promise<StoredAgent | undefined>;
  /** Adds it, or refreshes hostname, source IP, version and time of the one with this key. */
  upsert(agent: StoredAgent): Promise<void>;
  /** Sets `lastSeenAt` where it is later than the stored one; unknown keys are passed over. */
  touch(seen: ReadonlyMap<string, number>): Promise<void>;
  /** Whether there was one. */
  delete(spkiHash: string): Promise<boolean>;
}

/** A key that must not enroll with every token, as it is stored. Times are milliseconds since 1970-01-01 UTC. */
export interface StoredRefusal {
  /** Key: 64 lower-case hex digits. */
  readonly spkiHash: string;
  /** As the agent was last known; empty when it never was. */
  readonly hostname: string;
  /** When it was taken off the allowlist: tokens made until then do not enroll it. Null when it was not on it. */
  readonly removedAt: number | null;
  /** Since when no token enrolls it; null when a newer token does. */
  readonly deniedAt: number | null;
}

/** Keys that were removed from the allowlist or denied. */
export interface RefusalRepository {
  list(): Promise<StoredRefusal[]>;
  get(spkiHash: string): Promise<StoredRefusal | undefined>;
  put(refusal: StoredRefusal): Promise<void>;
  /** Deletes a refusal, unless it has been changed since it was read. Resolves with whether it did. */
  delete(read: StoredRefusal): Promise<boolean>;
}

/** An address, or a /64 of IPv6, from which an agent came. */
export interface StoredAddress {
  /** Key: as `addressGroup` writes it. */
  readonly address: string;
  /** Milliseconds since 1970-01-01 UTC of the last time. */
  readonly at: number;
}

/** From where agents came. */
export interface KnownAddressRepository {
  list(): Promise<StoredAddress[]>;
  /** Adds addresses, or sets their times where these are later than the stored ones. */
  note(seen: ReadonlyMap<string, number>): Promise<void>;
  /** Removes those from before the time, and all but the newest so many. */
  trim(before: number, keep: number): Promise<void>;
}

/** An enrollment token as it is stored: never its code. */
export interface StoredEnrollmentToken {
  /** Key: SHA-256 of the code, 64 lower-case hex digits. */
  readonly codeHash: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Set when a newer token took its place, or when it was revoked by hand. */
  readonly revokedAt: number | null;
  readonly uses: number;
  /** Largest number of uses; absent = any number. */
  readonly maxUses?: number;
  /** What administrators call it. */
  readonly name?: string;
  /** SPKI hash of the server's key that the token names; absent in tokens of versions before 0.2. */
  readonly serverSpki?: string;
}

/** State of a token; `tokenState` is the one rule for it. */
export type TokenState = 'live' | 'revoked' | 'expired' | 'used-up';

/** Enrollment tokens, ended ones included until they are purged, so that causes can be told apart. */
export interface EnrollmentTokenRepository {
  list(): Promise<StoredEnrollmentToken[]>;
  get(codeHash: string): Promise<StoredEnrollmentToken | undefined>;
  insert(token: StoredEnrollmentToken): Promise<void>;
  /**
   * Marks every live token but the given one, made at the time or before it, as revoked. Of tokens that two gateways
   * make at once, the later one lives.
   */
  revokeOthers(codeHash: string, at: number): Promise<void>;
  /** Revokes one; one that is revoked keeps its time. Whether there is one. */
  revoke(codeHash: string, at: number): Promise<boolean>;
  /**
   * Counts a use where the token is live at the time, in one atomic step: uses never exceed `maxUses`, however many
   * come at once.
   * @returns `ok` when the use was counted; otherwise why it was not
   */
  tryUse(codeHash: string, at: number): Promise<'ok' | 'unknown' | Exclude<TokenState, 'live'>>;
  /** Removes those that expired before the time. */
  purge(expiredBefore: number): Promise<void>;
}

/** Overrides of settings by their reference names, and the gateway's own small values. */
export interface SettingsRepository {
  list(): Promise<ReadonlyMap<string, number | boolean>>;
  set(key: string, value: number | boolean): Promise<void>;
  /** Whether there was an override. */
  delete(key: string): Promise<boolean>;
}

/** Facts of this installation: gateway id, epoch, hash of the admin key. */
export interface InstallationRepository {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  /** Stores the value only where there is none, and gives what is stored then. */
  setOnce(key: string, value: string): Promise<string>;
  /** Adds one and gives the new value; starts at 1. Durable before it resolves. */
  increment(key: string): Promise<number>;
}

/** How a store is; the reason is for operators and holds no secret. */
export interface StoreStatus {
  /**
   * `degraded`: it was there and is not now: what was read serves, writes fail. `failed`: nothing could be read yet, or it
   * is closed.
   */
  readonly state: 'ok' | 'degraded' | 'failed';
  readonly reason?: string;
}

/** What other gateways change in a store that several use. */
export interface StoreChanges {
  /**
   * Calls the listener when agents or settings may differ from what this process has read: after a change by another
   * process (within 2 s), when the store comes or comes back, and once after the subscription. A listener that rejects is
   * called again. Never called by a store that one process has for itself.
   * @returns ends the subscription
   */
  subscribe(listener: () => Promise<void>): () => void;
}

/** A key for the REST API as it is stored: never its clear text. Times are milliseconds since 1970-01-01 UTC. */
export interface StoredApiKey {
  /** Key: the first 16 hex digits of `keyHash`. */
  readonly id: string;
  /** SHA-256 of the clear text, 64 lower-case hex digits. */
  readonly keyHash: string;
  readonly name: string;
  /** `viewer` may read only. */
  readonly role: 'admin' | 'viewer';
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
}

/** Keys for the REST API. */
export interface ApiKeyRepository {
  list(): Promise<StoredApiKey[]>;
  get(id: string): Promise<StoredApiKey | undefined>;
  insert(key: StoredApiKey): Promise<void>;
  /** Sets `lastUsedAt` where it is later than the stored one; an unknown id is passed over. */
  touch(id: string, at: number): Promise<void>;
  /** Whether there was one. */
  delete(id: string): Promise<boolean>;
}

/** One entry of the audit trail as it is stored. It holds no secrets. */
export interface StoredAuditEntry {
  /** Key: sorts as text in the order of time, and is never given twice. */
  readonly id: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  /** Entries of each kind are bounded by themselves, so that a flood of one does not push out the other. */
  readonly kind: 'change' | 'enrollment';
  /** Such as `setting.set`. */
  readonly action: string;
  /** What was acted on: name of a setting, id of a key ... */
  readonly target: string;
  /** Id and name of who acted: an API key, `bootstrap`, or the SPKI hash and hostname of an agent. */
  readonly actor: { readonly id: string; readonly name: string };
  /** Remote address; empty where it is not known. */
  readonly from: string;
  /** `ok`, or the code of the error or refusal. */
  readonly outcome: string;
  /** JSON values; null where there is none. */
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * What was rejected for one cause from one address in one day (UTC), counted together. The rest is that of the latest
 * time; it holds no secrets.
 */
export interface StoredRejection extends Omit<StoredAuditEntry, 'kind'> {
  /** Key: the same for what is counted together. */
  readonly id: string;
  /** Milliseconds since 1970-01-01 UTC of the first one; `at` is that of the latest. */
  readonly firstAt: number;
  /** How often. */
  readonly count: number;
}

/** Which entries of the audit trail to give. */
export interface AuditQuery {
  /** Earliest time, included, ms. */
  readonly from?: number;
  /** Latest time, not included, ms. */
  readonly to?: number;
  readonly action?: string;
  readonly limit: number;
}

/** The audit trail, and beside it what was rejected: a set of its own, so that it never pushes out what was done. */
export interface AuditRepository {
  append(entry: StoredAuditEntry): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<StoredAuditEntry[]>;
  /** Keeps the newest so many of a kind and removes the others. */
  trim(kind: StoredAuditEntry['kind'], keep: number): Promise<void>;
  /** Adds to the rejection with this id, or keeps it as it is where there is none: counts add up. */
  addRejection(rejection: StoredRejection): Promise<void>;
  /** Puts a rejection in the place of the one with its id, or adds it. */
  putRejection(rejection: StoredRejection): Promise<void>;
  /** By the latest time of each, newest first. */
  listRejections(query: AuditQuery): Promise<StoredRejection[]>;
  /** Keeps so many, those with the latest times, and removes the others. */
  trimRejections(keep: number): Promise<void>;
}

/**
 * A store behind the repositories. Writes are durable when their promise resolves; whatever fails because the store is
 * not there rejects with GatewayError `STORE_UNAVAILABLE`, within 5 s.
 */
export interface Store {
  readonly agents: AgentRepository;
  readonly refusals: RefusalRepository;
  readonly knownAddresses: KnownAddressRepository;
  readonly enrollmentTokens: EnrollmentTokenRepository;
  readonly settings: SettingsRepository;
  readonly installation: InstallationRepository;
  readonly changes: StoreChanges;
  /** How it is now; does no I/O. */
  status(): StoreStatus;
  readonly apiKeys: ApiKeyRepository;
  readonly audit: AuditRepository;
  close(): Promise<void>;
}
