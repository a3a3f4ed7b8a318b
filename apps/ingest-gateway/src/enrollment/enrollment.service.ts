import type { EnrollmentOutcome, EnrollmentRequest, Logger } from '@app/pipeline/api';
import { isHostname, type AgentsService } from '../agents/index.js';
import type { AuditService } from '../audit/index.js';
import type { EnrollmentTokenRepository } from '../store/index.js';
import { hashSecret } from '../secrets.js';
import { isCode } from './enrollment-code.js';
import type { EnrollmentLimits } from './enrollment-limits.js';
import { rejection, type RefusalCause } from './refusals.js';
import { tokenId } from './tokens.service.js';

const MAX_VERSION_LENGTH = 64;

/** What the service is made from. */
export interface EnrollmentParts {
  readonly tokens: EnrollmentTokenRepository;
  readonly agents: AgentsService;
  readonly audit: Pick<AuditService, 'record'>;
  readonly limits: EnrollmentLimits;
  readonly logger: Logger;
  readonly now?: () => number;
}

/** Decides on enrollments (`docs/PROTOCOL.md`, Enrollment). Codes are never logged. */
export class EnrollmentService {
  constructor(private readonly parts: EnrollmentParts) {}

  /**
   * Decides on an enrollment. When it resolves with `Enrolled`, the agent is stored and every reactor has been sent the
   * new allowlist. Does not reject: a store that fails, and too many attempts, give `Unavailable`.
   */
  async enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    const { logger, limits } = this.parts;
    const { spkiHash, sourceIp } = request;
    if (!limits.admit(sourceIp)) {
      logger.warn({ spkiHash, sourceIp }, 'Too many enrollments are asked for: this one is turned away.');
      return { status: 'Unavailable' };
    }
    try {
      const cause = await this.#decide(request);
      await this.#tell(request, cause);
      return cause === undefined ? { status: 'Enrolled' } : rejection(cause);
    } catch (error) {
      logger.error({ spkiHash, sourceIp, err: error }, 'An enrollment could not be decided.');
      return { status: 'Unavailable' };
    }
  }

  /** Why it is refused; `undefined` when the agent is enrolled. */
  async #decide(request: EnrollmentRequest): Promise<RefusalCause | undefined> {
    const { tokens, agents } = this.parts;
    if (!isHostname(request.hostname)) return 'malformed';
    if (!isCode(request.code)) return 'unknown';
    const at = this.#now();
    const use = await tokens.tryUse(hashSecret(request.code), at);
    if (use !== 'ok') return use;
    await agents.enrolled({
      spkiHash: request.spkiHash,
      hostname: request.hostname,
      sourceIp: request.sourceIp,
      enrolledAt: at,
      lastSeenAt: null,
      agentVersion: request.agentVersion?.slice(0, MAX_VERSION_LENGTH) ?? null,
    });
    return undefined;
  }

  async #tell(request: EnrollmentRequest, cause: RefusalCause | undefined): Promise<void> {
    const { spkiHash, sourceIp } = request;
    const hostname = isHostname(request.hostname) ? request.hostname : '';
    const known = { spkiHash, sourceIp, ...(hostname !== '' && { hostname }) };
    if (cause === undefined) this.parts.logger.info(known, 'An agent was enrolled.');
    else this.parts.logger.warn({ ...known, reason: cause }, 'An enrollment was rejected.');
    // The code of a token that never was is somebody's secret or somebody's guess: nothing of it is kept.
    const token = cause === 'unknown' || cause === 'malformed' ? null : tokenId(hashSecret(request.code));
    await this.parts.audit.record({
      kind: 'enrollment',
      action: 'agent.enroll',
      target: spkiHash,
      actor: { id: spkiHash, name: hostname, from: sourceIp },
      outcome: cause ?? 'ok',
      after: { token, ...(cause === undefined && { hostname, sourceIp }) },
    });
  }

  #now(): number {
    return this.parts.now?.() ?? Date.now();
  }
}
