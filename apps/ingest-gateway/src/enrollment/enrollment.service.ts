import { Inject, Injectable, Optional } from '@nestjs/common';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import { AgentsService, isHostname } from '../agents/index.js';
import { AuditService } from '../audit/index.js';
import { LOGGER, STORE } from '../dependencies.js';
import type {
  EnrollmentTokenRepository,
  Store,
  StoredAgent,
  StoredRefusal,
  StoredEnrollmentToken,
} from '../store/index.js';
import { hashSecret } from '../secrets.js';
import { isCode } from './enrollment-code.js';
import { EnrollmentLimits } from './enrollment-limits.js';
import { rejection, type RefusalCause } from './refusals.js';
import { tokenId } from './tokens.service.js';

const MAX_VERSION_LENGTH = 64;

/** Decides on enrollments (`docs/reference/protocol.md`, Enrollment). Codes are never logged. */
@Injectable()
export class EnrollmentService {
  private readonly tokens: EnrollmentTokenRepository;
  private readonly logger: Logger;

  constructor(
    @Inject(STORE) { enrollmentTokens }: Pick<Store, 'enrollmentTokens'>,
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(AuditService) private readonly audit: Pick<AuditService, 'record'>,
    @Inject(EnrollmentLimits) private readonly limits: EnrollmentLimits,
    @Inject(LOGGER) logger: Logger,
    @Optional() private readonly now: () => number = Date.now,
  ) {
    this.tokens = enrollmentTokens;
    this.logger = logger.child({ component: 'enrollment' });
  }

  /**
   * Decides on an enrollment. When it resolves with `Enrolled`, the agent is stored and every reactor has been sent the
   * new allowlist. Does not reject: a store that fails, and too many attempts, give `Unavailable`.
   */
  async enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    const { logger, limits } = this;
    const { spkiHash, sourceIp } = request;
    if (!limits.admit(sourceIp)) {
      logger.warn({ spkiHash, sourceIp }, 'Too many enrollments at once; request rejected');
      return { status: 'Unavailable' };
    }
    try {
      const cause = await this.#decide(request);
      await this.#tell(request, cause);
      return cause === undefined ? { status: 'Enrolled' } : rejection(cause);
    } catch (error) {
      logger.error({ spkiHash, sourceIp, err: error }, 'Failed to decide an enrollment');
      return { status: 'Unavailable' };
    }
  }

  /** Why it is refused; `undefined` when the agent is enrolled. */
  async #decide(request: EnrollmentRequest): Promise<RefusalCause | undefined> {
    const { tokens, agents } = this;
    if (!isHostname(request.hostname)) return 'malformed';
    if (!isCode(request.code)) return 'unknown';
    const at = this.now();
    const codeHash = hashSecret(request.code);
    const token = await tokens.get(codeHash);
    const bars = (refusal: StoredRefusal): 'denied' | 'removed' | undefined => barredBy(refusal, token);
    const refusal = await agents.refusal(request.spkiHash);
    const barred = refusal && bars(refusal);
    if (barred !== undefined) return barred;
    const use = await tokens.tryUse(codeHash, at);
    if (use !== 'ok') return use;
    const agent: StoredAgent = {
      spkiHash: request.spkiHash,
      hostname: request.hostname,
      sourceIp: request.sourceIp,
      enrolledAt: at,
      lastSeenAt: null,
      agentVersion: request.agentVersion?.slice(0, MAX_VERSION_LENGTH) ?? null,
    };
    // Asked again: an administrator may have denied or removed the key since.
    return agents.enrolled(agent, bars);
  }

  async #tell(request: EnrollmentRequest, cause: RefusalCause | undefined): Promise<void> {
    const { spkiHash, sourceIp } = request;
    const hostname = isHostname(request.hostname) ? request.hostname : '';
    const known = { spkiHash, sourceIp, ...(hostname !== '' && { hostname }) };
    const sharedWith = cause === undefined ? this.agents.othersNamed(hostname, spkiHash) : [];
    if (sharedWith.length > 0) {
      this.logger.warn({ ...known, sharedWith }, 'Agent enrolled under a hostname that another key holds');
    }
    // The code of a token that never was is somebody's secret or somebody's guess: nothing of it is kept.
    const token = cause === 'unknown' || cause === 'malformed' ? null : tokenId(hashSecret(request.code));
    await this.audit.record({
      kind: 'enrollment',
      action: 'agent.enroll',
      target: spkiHash,
      actor: { id: spkiHash, name: hostname, from: sourceIp },
      outcome: cause ?? 'ok',
      after: {
        token,
        ...(cause === undefined && { hostname, sourceIp }),
        ...(sharedWith.length > 0 && { sharedWith }),
      },
    });
  }
}

/** Whether a key is denied, or was removed after the token was made. */
function barredBy(
  { deniedAt, removedAt }: StoredRefusal,
  token: StoredEnrollmentToken | undefined,
): 'denied' | 'removed' | undefined {
  if (deniedAt !== null) return 'denied';
  return token !== undefined && token.createdAt <= (removedAt ?? -1) ? 'removed' : undefined;
}
