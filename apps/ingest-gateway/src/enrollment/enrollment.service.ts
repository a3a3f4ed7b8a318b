import type { EnrollmentOutcome, EnrollmentRequest, Logger } from '@app/pipeline/api';
import { isHostname, SerialQueue, type AgentsService } from '../agents/index.js';
import type { EnrollmentTokenRepository, StoredEnrollmentToken } from '../store/index.js';
import { createCode, formatToken, hashCode, isCode, sameHash } from './enrollment-code.js';

/** How long a token can be used, ms. */
export const TOKEN_LIFETIME_MS = 3_600_000;
/** Ended tokens are kept this long, so that a late agent is told that its token expired and not that it is wrong. */
const KEEP_ENDED_MS = 7 * 24 * 3_600_000;
const MAX_VERSION_LENGTH = 64;

/** A token as it is shown once. */
export interface EnrollmentToken {
  readonly token: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly expiresAt: number;
}

type Rejection = Extract<EnrollmentOutcome, { status: 'Rejected' }>;

/** Enrollment tokens and what they are good for (`docs/PROTOCOL.md`, Enrollment). Codes are stored hashed and never logged. */
export class EnrollmentService {
  /** Tokens made at once would revoke one another. */
  readonly #tokenChanges = new SerialQueue();

  constructor(
    private readonly tokens: EnrollmentTokenRepository,
    private readonly agents: AgentsService,
    private readonly logger: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  /** Makes a token that is valid for an hour and any number of agents; every earlier one ends with it. */
  createToken(serverSpkiHash: string): Promise<EnrollmentToken> {
    return this.#tokenChanges.run(() => this.#createToken(serverSpkiHash));
  }

  /**
   * Decides on an enrollment. When it resolves with `Enrolled`, the agent is stored and every reactor has been sent the
   * new allowlist. Does not reject: a store that fails gives `Unavailable`.
   */
  async enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    const { spkiHash, sourceIp, hostname } = request;
    try {
      const outcome = await this.#decide(request);
      const known = { spkiHash, sourceIp, ...(isHostname(hostname) ? { hostname } : {}) };
      if (outcome.status === 'Rejected') {
        this.logger.warn({ ...known, reason: outcome.error }, 'An enrollment was rejected.');
      } else this.logger.info(known, 'An agent was enrolled.');
      return outcome;
    } catch (error) {
      this.logger.error({ spkiHash, sourceIp, err: error }, 'An enrollment could not be decided.');
      return { status: 'Unavailable' };
    }
  }

  async #createToken(serverSpkiHash: string): Promise<EnrollmentToken> {
    const code = createCode();
    const codeHash = hashCode(code);
    const now = this.now();
    const expiresAt = now + TOKEN_LIFETIME_MS;
    await this.tokens.insert({ codeHash, createdAt: now, expiresAt, revokedAt: null, uses: 0 });
    await this.tokens.revokeOthers(codeHash, now);
    await this.tokens.purge(now - KEEP_ENDED_MS);
    this.logger.info(
      { expiresAt: new Date(expiresAt) },
      'An enrollment token was made; earlier ones have ended.',
    );
    return { token: formatToken(code, serverSpkiHash), expiresAt };
  }

  async #decide(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    if (!isHostname(request.hostname)) {
      return rejected('MalformedRequest', 'AgentHost must be 1 to 255 characters without blanks.');
    }
    const codeHash = hashCode(request.code);
    const token = isCode(request.code) ? await this.tokens.get(codeHash) : undefined;
    const refusal = this.#refusal(token, codeHash);
    if (refusal !== undefined) return refusal;
    await this.tokens.countUse(codeHash);
    await this.agents.enrolled({
      spkiHash: request.spkiHash,
      hostname: request.hostname,
      sourceIp: request.sourceIp,
      enrolledAt: this.now(),
      lastSeenAt: null,
      agentVersion: request.agentVersion?.slice(0, MAX_VERSION_LENGTH) ?? null,
    });
    return { status: 'Enrolled' };
  }

  #refusal(token: StoredEnrollmentToken | undefined, codeHash: string): Rejection | undefined {
    if (token === undefined || !sameHash(token.codeHash, codeHash)) {
      return rejected(
        'InvalidCode',
        'The enrollment code is not known; check that the token was copied whole.',
      );
    }
    if (token.revokedAt !== null) {
      return rejected('InvalidCode', 'A newer enrollment token has taken the place of this one; use that.');
    }
    if (token.expiresAt <= this.now()) {
      return rejected('ExpiredCode', 'The enrollment token has expired; ask for a new one.');
    }
    return undefined;
  }
}

function rejected(error: Rejection['error'], message: string): Rejection {
  return { status: 'Rejected', error, message };
}
