import type { StoredEnrollmentToken, TokenState } from './repositories.js';

/**
 * The one rule for what a token is worth.
 * @param at milliseconds since 1970-01-01 UTC
 */
export function tokenState(token: StoredEnrollmentToken, at: number): TokenState {
  if (token.revokedAt !== null) return 'revoked';
  if (token.expiresAt <= at) return 'expired';
  return token.maxUses !== undefined && token.uses >= token.maxUses ? 'used-up' : 'live';
}
