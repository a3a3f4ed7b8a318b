import { randomBytes } from 'node:crypto';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { LOGGER, STORE } from '../dependencies.js';
import type {
  AuditQuery,
  AuditRepository,
  Store,
  StoredAuditEntry,
  StoredRejection,
} from '../store/index.js';
import { Rejections } from './rejections.js';

/** Who acts, and from where. */
export interface AuditActor {
  readonly id: string;
  readonly name: string;
  /** Remote address; empty where it is not known. */
  readonly from: string;
}

/** What happened, without secrets; `before` and `after` are JSON values. */
export type AuditEvent = Pick<StoredAuditEntry, 'action' | 'target' | 'outcome'> & {
  /** `access` and `ban` are never done by anybody, only rejected. */
  readonly kind: StoredAuditEntry['kind'] | 'access' | 'ban';
  readonly actor: AuditActor;
  readonly before?: unknown;
  readonly after?: unknown;
};

/** Filled in by a change while it happens. */
export interface AuditNote {
  target: string;
  before?: unknown;
  after?: unknown;
  /** Whether `after` has happened, also when the change fails later. */
  done?: boolean;
}

/** Entries of each kind that are kept. */
export const KEPT_ENTRIES = 10_000;
/** Old entries are removed once in so many new ones. */
const TRIM_EVERY = 250;

/**
 * The audit trail: every change and every enrollment. What is rejected is counted in a set of its own. Every entry is a
 * log line too.
 */
@Injectable()
export class AuditService {
  readonly #prefix = randomBytes(3).toString('hex');
  readonly #untrimmed = { change: TRIM_EVERY, enrollment: TRIM_EVERY };
  readonly #rejections: Rejections;
  private readonly repository: AuditRepository;
  private readonly logger: Logger;
  #sequence = 0;

  constructor(
    @Inject(STORE) { audit }: Pick<Store, 'audit'>,
    @Inject(LOGGER) logger: Logger,
    @Optional() private readonly now: () => number = Date.now,
  ) {
    this.repository = audit;
    this.logger = logger.child({ component: 'audit' });
    this.#rejections = new Rejections(audit, this.logger);
  }

  /**
   * Makes a change and records it, with the code of the error when it fails. What was changed before it failed, as far as
   * the note says it, is a separate entry.
   * @returns what the change gives
   * @throws what the change throws
   */
  async change<T>(
    actor: AuditActor,
    action: string,
    target: string,
    change: (note: AuditNote) => Promise<T>,
  ): Promise<T> {
    const note: AuditNote = { target };
    try {
      const result = await change(note);
      await this.record({ kind: 'change', action, actor, ...note, outcome: 'ok' });
      return result;
    } catch (error) {
      const outcome = error instanceof GatewayError ? error.code : 'INTERNAL_SERVER_ERROR';
      if (note.done === true) await this.record({ kind: 'change', action, actor, ...note, outcome: 'ok' });
      await this.record({ kind: 'change', action, actor, ...note, after: undefined, outcome });
      throw error;
    }
  }

  /**
   * Writes an entry, or counts what was rejected: durable when this resolves, repetitions of a rejection within a minute.
   * Does not reject: what cannot be stored goes to the log.
   */
  async record({ kind, action, target, actor, outcome, before, after }: AuditEvent): Promise<void> {
    const at = this.now();
    const entry = {
      at,
      action,
      target: target.slice(0, MAX_TARGET),
      actor: { id: actor.id, name: actor.name },
      from: actor.from,
      outcome,
      before: before ?? null,
      after: after ?? null,
    };
    // Whoever enrolls chooses its key; only callers of the API have proved theirs.
    const proven = kind === 'change' || (kind === 'access' && actor.id !== '');
    if (outcome !== 'ok' || kind === 'access' || kind === 'ban') {
      return this.#rejections.add({ ...entry, proven, logged: kind === 'ban' });
    }
    await this.#append({ id: this.#nextId(at), kind, ...entry });
  }

  async #append(entry: StoredAuditEntry): Promise<void> {
    const { kind, action, target, actor, from, before, after } = entry;
    this.logger.info({ action, target, actor, sourceIp: from, before, after }, DONE[kind]);
    try {
      await this.repository.append(entry);
      await this.#trim(kind);
    } catch (error) {
      this.logger.error({ audit: entry, err: error }, 'Failed to store an entry of the audit trail');
    }
  }

  /** Entries of what was done, newest first. */
  list(query: AuditQuery): Promise<StoredAuditEntry[]> {
    return this.repository.list(query);
  }

  /** What was rejected, by the latest time of each, newest first. */
  async listRejections(query: AuditQuery): Promise<StoredRejection[]> {
    await this.#rejections.flush();
    return this.repository.listRejections(query);
  }

  /** Writes what is counted and not written yet. */
  onModuleDestroy(): Promise<void> {
    return this.#rejections.close();
  }

  async #trim(kind: StoredAuditEntry['kind']): Promise<void> {
    if ((this.#untrimmed[kind] += 1) < TRIM_EVERY) return;
    this.#untrimmed[kind] = 0;
    await this.repository.trim(kind, KEPT_ENTRIES);
  }

  /** Time first, so that ids sort by it; then the order within this process; then what tells gateways apart. */
  #nextId(at: number): string {
    this.#sequence = (this.#sequence + 1) % 1_000_000;
    return `${String(at).padStart(15, '0')}-${String(this.#sequence).padStart(6, '0')}-${this.#prefix}`;
  }
}

const DONE = { change: 'Change made', enrollment: 'Agent enrolled' } as const;
/** Targets come from URLs, and those can be of any length. */
const MAX_TARGET = 200;
