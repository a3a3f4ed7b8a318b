import { Inject, Injectable, Optional } from '@nestjs/common';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { SerialQueue } from '../agents/index.js';
import { LOGGER, STORE } from '../dependencies.js';
import {
  tokenState,
  type EnrollmentTokenRepository,
  type Store,
  type StoredEnrollmentToken,
  type TokenState,
} from '../store/index.js';
import { createSecret, hashSecret } from '../secrets.js';
import { formatToken } from './enrollment-code.js';
import { lifetimeMs, type TokenOptions } from './token-options.js';

/** Ended tokens are kept this long, so that a late agent is told that its token expired and not that it is wrong. */
const KEEP_ENDED_MS = 7 * 24 * 3_600_000;
const ID_DIGITS = 12;

/** A token without its secret. Times are milliseconds since 1970-01-01 UTC. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly uses: number;
  readonly maxUses: number | null;
  readonly state: TokenState;
}

/** A token as it is shown once. */
export interface EnrollmentToken extends TokenInfo {
  readonly token: string;
}

/** What names a token without giving it away: the beginning of its code's hash. */
export function tokenId(codeHash: string): string {
  return codeHash.slice(0, ID_DIGITS);
}

/** Enrollment tokens (`docs/reference/protocol.md`, Enrollment). Codes are stored hashed, shown once and never logged. */
@Injectable()
export class TokensService {
  /** Tokens made at once would revoke one another. */
  readonly #changes = new SerialQueue();

  private readonly tokens: EnrollmentTokenRepository;
  private readonly logger: Logger;

  constructor(
    @Inject(STORE) { enrollmentTokens }: Pick<Store, 'enrollmentTokens'>,
    @Inject(LOGGER) logger: Logger,
    @Optional() private readonly now: () => number = Date.now,
  ) {
    this.tokens = enrollmentTokens;
    this.logger = logger.child({ component: 'enrollment' });
  }

  /**
   * Makes a token; without options it is valid for an hour and any number of agents, and every earlier one ends with it.
   * @param serverSpkiHash key that agents will find the server by
   */
  create(serverSpkiHash: string, options: TokenOptions = {}): Promise<EnrollmentToken> {
    return this.#changes.run(() => this.#create(serverSpkiHash, options));
  }

  /**
   * Revokes live tokens that name a server key which is no longer in use, and those of which the key is not known.
   * @returns ids of the revoked tokens
   */
  revokeForServerKey(serverSpkiHash: string): Promise<string[]> {
    return this.#changes.run(async () => {
      const now = this.now();
      const tokens = (await this.tokens.list()).filter(
        (token) =>
          tokenState(token, now) === 'live' && (token.serverSpki ?? serverSpkiHash) === serverSpkiHash,
      );
      for (const { codeHash } of tokens) await this.tokens.revoke(codeHash, now);
      const ids = tokens.map(({ codeHash }) => tokenId(codeHash));
      if (ids.length > 0)
        this.logger.info({ tokens: ids }, 'Enrollment tokens that name the old server key revoked');
      return ids;
    });
  }

  /** All that are remembered, newest first; those of one millisecond in an order that is the same each time. */
  async list(): Promise<TokenInfo[]> {
    const now = this.now();
    const tokens = await this.tokens.list();
    return tokens.sort(byAge).map((token) => factsOf(token, now));
  }

  /**
   * Revokes one.
   * @returns what it was before
   * @throws GatewayError `TOKEN_UNKNOWN`
   */
  async revoke(id: string): Promise<TokenInfo> {
    const now = this.now();
    const token = (await this.tokens.list()).find((each) => tokenId(each.codeHash) === id);
    if (token === undefined || !(await this.tokens.revoke(token.codeHash, now))) {
      throw new GatewayError(
        'TOKEN_UNKNOWN',
        'No enrollment token has this id.',
        'GET /api/v1/nam-listener/enrollment-tokens lists them.',
      );
    }
    this.logger.info({ token: id }, 'Enrollment token revoked');
    return factsOf(token, now);
  }

  async #create(serverSpkiHash: string, options: TokenOptions): Promise<EnrollmentToken> {
    const { name, maxUses, keepOthers = false } = options;
    const code = createSecret();
    const now = this.now();
    const stored: StoredEnrollmentToken = {
      codeHash: hashSecret(code),
      createdAt: now,
      expiresAt: now + lifetimeMs(options),
      revokedAt: null,
      uses: 0,
      serverSpki: serverSpkiHash,
      ...(maxUses !== undefined && { maxUses }),
      ...(name !== undefined && { name }),
    };
    await this.tokens.insert(stored);
    if (!keepOthers) await this.tokens.revokeOthers(stored.codeHash, now);
    await this.tokens.purge(now - KEEP_ENDED_MS);
    const facts = factsOf(stored, now);
    this.logger.info(
      { token: facts.id, expiresAt: new Date(stored.expiresAt) },
      `Enrollment token created${keepOthers ? '' : '; earlier ones revoked'}`,
    );
    return { ...facts, token: formatToken(code, serverSpkiHash) };
  }
}

/** The hash decides within a millisecond: stores give tokens in any order. */
function byAge(a: StoredEnrollmentToken, b: StoredEnrollmentToken): number {
  return b.createdAt - a.createdAt || (a.codeHash < b.codeHash ? -1 : 1);
}

function factsOf(token: StoredEnrollmentToken, now: number): TokenInfo {
  const { codeHash, createdAt, expiresAt, uses, name = null, maxUses = null } = token;
  return {
    id: tokenId(codeHash),
    name,
    createdAt,
    expiresAt,
    uses,
    maxUses,
    state: tokenState(token, now),
  };
}
