import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnrollmentRequest } from '@activity-gateway/activity';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { AgentsService } from '../agents/index.js';
import type { TokenOptions } from './token-options.js';
import { createEmbeddedStore, type Store } from '../store/index.js';
import { AuditService } from '../audit/index.js';
import { EnrollmentLimits, EnrollmentService, TOKEN_LIFETIME_MS, TokensService } from './index.js';

const SERVER = '5'.repeat(64);
const KEY_A = 'a'.repeat(64);
const KEY_B = 'b'.repeat(64);

const SMALL_RATES = {
  overall: { perSecond: 50, burst: 200 },
  perAddress: { perSecond: 20, burst: 100 },
};

describe('EnrollmentService', () => {
  let dir: string;
  let store: Store;
  let agents: AgentsService;
  let logger: RecordingLogger;
  let enrollment: EnrollmentService;
  let tokens: TokensService;
  let audit: AuditService;
  let now: number;

  beforeEach(async () => {
    now = 1_000_000;
    dir = await mkdtemp(join(tmpdir(), 'enrollment-'));
    store = await createEmbeddedStore(dir);
    logger = createRecordingLogger();
    agents = await AgentsService.load(store, logger, () => now);
    audit = new AuditService(store, logger, () => now);
    tokens = new TokensService(store, logger, () => now);
    enrollment = new EnrollmentService(
      store,
      agents,
      audit,
      new EnrollmentLimits(SMALL_RATES, () => now),
      logger,
      () => now,
    );
  });
  afterEach(async () => {
    await agents.stop();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  const newCode = async (options: TokenOptions = {}): Promise<string> =>
    (await tokens.create(SERVER, options)).token.split('.')[1] ?? '';
  const outcomeOf = async (code: string, changes: Partial<EnrollmentRequest> = {}): Promise<string> => {
    const outcome = await enrollment.enroll(request(code, changes));
    return outcome.status === 'Rejected' ? outcome.error : outcome.status;
  };
  /** How enrollments ended and how often, by the alphabet. */
  const causes = async (): Promise<string[]> => {
    const query = { action: 'agent.enroll', limit: 100 };
    const done = (await audit.list(query)).map(({ outcome }) => outcome);
    const rejected = await audit.listRejections(query);
    return [...done, ...rejected.flatMap(({ outcome, count }) => Array<string>(count).fill(outcome))].sort();
  };
  const request = (code: string, changes: Partial<EnrollmentRequest> = {}): EnrollmentRequest => ({
    code,
    spkiHash: KEY_A,
    sourceIp: '10.0.0.5',
    hostname: 'FS-AGENT-01',
    ...changes,
  });

  it('makes a token of three parts that ends after an hour', async () => {
    const { token, expiresAt } = await tokens.create(SERVER);
    expect(token).toMatch(/^nam1\.[A-Za-z0-9_-]{43}\.5{64}$/);
    expect(expiresAt).toBe(now + TOKEN_LIFETIME_MS);
  });

  it('enrolls any number of agents, each allowlisted before its answer', async () => {
    const code = await newCode();
    const sizes: number[] = [];
    agents.allowlist.subscribe((entries) => sizes.push(entries.length));
    const outcomes = await Promise.all([
      enrollment.enroll(request(code, { agentVersion: '10.0.0' })),
      enrollment.enroll(request(code, { spkiHash: KEY_B, hostname: 'FS-AGENT-02' })),
    ]);
    expect(outcomes).toEqual([{ status: 'Enrolled' }, { status: 'Enrolled' }]);
    expect(sizes).toEqual([1, 2]);
    expect((await store.enrollmentTokens.list()).map((token) => token.uses)).toEqual([2]);
    expect(await store.agents.get(KEY_A)).toEqual({
      spkiHash: KEY_A,
      hostname: 'FS-AGENT-01',
      sourceIp: '10.0.0.5',
      enrolledAt: now,
      lastSeenAt: null,
      agentVersion: '10.0.0',
    });
  });

  it('refreshes a key that is already enrolled', async () => {
    const code = await newCode();
    await enrollment.enroll(request(code));
    now += 5_000;
    await enrollment.enroll(request(code, { hostname: 'RENAMED', sourceIp: '10.0.0.6' }));
    expect(await agents.list()).toEqual([
      expect.objectContaining({ hostname: 'RENAMED', sourceIp: '10.0.0.6', enrolledAt: now }),
    ]);
    expect(agents.allowlist.current).toEqual([{ spkiHash: KEY_A, hostname: 'RENAMED' }]);
  });

  it('rejects codes that were never given, superseded ones and late ones, each with its reason', async () => {
    const first = await newCode();
    const second = await newCode();
    expect(await outcomeOf('')).toBe('InvalidCode');
    expect(await outcomeOf('x'.repeat(43))).toBe('InvalidCode');
    expect(await outcomeOf(`${second}x`)).toBe('InvalidCode');
    expect(await outcomeOf(first)).toBe('InvalidCode');
    now += TOKEN_LIFETIME_MS - 1;
    expect(await outcomeOf(second)).toBe('Enrolled');
    now += 1;
    expect(await outcomeOf(second)).toBe('ExpiredCode');
    expect(await causes()).toEqual(['expired', 'ok', 'revoked', 'unknown', 'unknown', 'unknown']);
    await audit.onModuleDestroy();
    const reasons = logger.lines.flatMap((line) => line.fields['reason'] ?? []);
    // The repetitions of one cause have one line.
    expect(reasons).toEqual(['unknown', 'revoked', 'expired', 'unknown']);
  });

  it('holds a token to its lifetime and its number of uses, and lets others live beside it', async () => {
    const first = await newCode({ name: 'one', maxUses: 2 });
    now += 1;
    const second = await newCode({ name: 'two', lifetimeSeconds: 60, keepOthers: true });
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => outcomeOf(first)));
    expect(outcomes.sort()).toEqual(
      [...Array<string>(2).fill('Enrolled'), ...Array<string>(4).fill('InvalidCode')].sort(),
    );
    now += 59_999;
    expect(await outcomeOf(second)).toBe('Enrolled');
    now += 1;
    expect(await outcomeOf(second)).toBe('ExpiredCode');
    expect(await causes()).toEqual(expect.arrayContaining(['expired', 'ok', 'used-up']));
    expect(await tokens.list()).toMatchObject([
      { name: 'two', uses: 1, maxUses: null, state: 'expired' },
      { name: 'one', uses: 2, maxUses: 2, state: 'used-up' },
    ]);
  });

  it('lists tokens newest first, those of one moment in the same order each time', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await newCode({ name, keepOthers: true });
    now += 1;
    await newCode({ name: 'newest', keepOthers: true });
    const listed = await tokens.list();
    expect(listed[0]).toMatchObject({ name: 'newest' });
    const turned = {
      ...store.enrollmentTokens,
      list: async () => (await store.enrollmentTokens.list()).reverse(),
    };
    expect(await new TokensService({ enrollmentTokens: turned }, logger, () => now).list()).toEqual(listed);
  });

  it('revokes one token by its id', async () => {
    const code = await newCode();
    const other = await newCode({ keepOthers: true });
    const { id } = (await tokens.list()).find((token) => token.createdAt === now && token.uses === 0)!;
    await tokens.revoke(id);
    expect([await outcomeOf(code), await outcomeOf(other)].sort()).toEqual(['Enrolled', 'InvalidCode']);
    expect(await causes()).toContain('revoked');
    await expect(tokens.revoke('f'.repeat(12))).rejects.toMatchObject({ code: 'TOKEN_UNKNOWN' });
  });

  it('tells the audit trail who enrolled with which token, from where', async () => {
    const code = await newCode();
    const [{ id } = { id: '' }] = await tokens.list();
    await enrollment.enroll(request(code));
    await enrollment.enroll(request('x'.repeat(43), { hostname: 'a\nb' }));
    expect(await audit.listRejections({ limit: 10 })).toMatchObject([
      { actor: { id: KEY_A, name: '' }, outcome: 'malformed', after: { token: null }, count: 1 },
    ]);
    expect(await audit.list({ limit: 10 })).toMatchObject([
      {
        action: 'agent.enroll',
        target: KEY_A,
        actor: { id: KEY_A, name: 'FS-AGENT-01' },
        from: '10.0.0.5',
        outcome: 'ok',
        after: { token: id, hostname: 'FS-AGENT-01', sourceIp: '10.0.0.5' },
      },
    ]);
  });

  it('turns away too many attempts without looking at them, and takes them again later', async () => {
    const code = await newCode();
    const many = await Promise.all(Array.from({ length: 101 }, () => outcomeOf(code)));
    expect(many.filter((outcome) => outcome === 'Enrolled')).toHaveLength(100);
    expect(many.at(-1)).toBe('Unavailable');
    expect(await outcomeOf(code, { sourceIp: '10.0.0.6' })).toBe('Enrolled');
    for (let address = 10; address < 130; address += 1) {
      await outcomeOf(code, { sourceIp: `10.0.1.${address}` });
    }
    expect(await outcomeOf(code, { sourceIp: '10.0.0.7' })).toBe('Unavailable');
    now += 1_000;
    expect(await outcomeOf(code)).toBe('Enrolled');
  });

  it.each(['a\nb', '', 'a b', 'host/x', 'Büro', 'x'.repeat(254)])(
    'rejects the hostname %j',
    async (hostname) => {
      const code = await newCode();
      const outcome = await enrollment.enroll(request(code, { hostname }));
      expect(outcome).toMatchObject({ status: 'Rejected', error: 'MalformedRequest' });
      expect(await agents.list()).toEqual([]);
    },
  );

  it('refuses a removed key with tokens made before its removal, and takes one made afterwards', async () => {
    const before = await newCode();
    const kept = await newCode({ keepOthers: true });
    expect(await outcomeOf(before)).toBe('Enrolled');
    await agents.remove(KEY_A);
    expect([await outcomeOf(before), await outcomeOf(kept)]).toEqual(['InvalidCode', 'InvalidCode']);
    expect(await outcomeOf(kept, { spkiHash: KEY_B })).toBe('Enrolled');
    expect(agents.allowlist.current.map(({ spkiHash }) => spkiHash)).toEqual([KEY_B]);
    now += 1;
    expect(await outcomeOf(await newCode())).toBe('Enrolled');
  });

  it('refuses a denied key with any token until it is allowed', async () => {
    expect(await outcomeOf(await newCode())).toBe('Enrolled');
    await agents.deny(KEY_A);
    expect(agents.allowlist.current).toEqual([]);
    now += 1;
    expect(await outcomeOf(await newCode())).toBe('InvalidCode');
    expect((await audit.listRejections({ limit: 1 }))[0]?.outcome).toBe('denied');
    await expect(agents.add(KEY_A, 'FS-1')).rejects.toMatchObject({ code: 'AGENT_DENIED' });
    await agents.allow(KEY_A);
    expect(await outcomeOf(await newCode())).toBe('Enrolled');
    await expect(agents.allow(KEY_A)).rejects.toMatchObject({ code: 'AGENT_NOT_DENIED' });
  });

  it.each(['deny', 'remove'] as const)(
    'keeps to a %s that comes while an enrollment is decided',
    async (change) => {
      expect(await outcomeOf(await newCode())).toBe('Enrolled');
      now += 1;
      const code = await newCode();
      const enrollmentTokens = Object.assign(
        Object.create(store.enrollmentTokens) as typeof store.enrollmentTokens,
        {
          tryUse: async (...use: Parameters<typeof store.enrollmentTokens.tryUse>) => {
            const used = await store.enrollmentTokens.tryUse(...use);
            now += 1;
            await agents[change](KEY_A);
            return used;
          },
        },
      );
      const limits = new EnrollmentLimits(SMALL_RATES, () => now);
      const slow = new EnrollmentService({ enrollmentTokens }, agents, audit, limits, logger, () => now);
      expect(await slow.enroll(request(code))).toMatchObject({ status: 'Rejected', error: 'InvalidCode' });
      expect(agents.allowlist.current).toEqual([]);
      expect(await agents.refusal(KEY_A)).toBeDefined();
    },
  );

  it('keeps to a denial of another gateway that comes while the agent is stored', async () => {
    const put = store.agents.upsert.bind(store.agents);
    store.agents.upsert = async (agent) => {
      await put(agent);
      await store.refusals.put({ spkiHash: KEY_A, hostname: '', removedAt: null, deniedAt: now });
    };
    expect(await outcomeOf(await newCode())).toBe('InvalidCode');
    expect(agents.allowlist.current).toEqual([]);
    expect(await store.agents.get(KEY_A)).toBeUndefined();
    expect(await agents.denied()).toHaveLength(1);
  });

  it('audits a hostname that another key holds', async () => {
    const code = await newCode();
    await enrollment.enroll(request(code, { hostname: 'FS-AGENT-01' }));
    await enrollment.enroll(request(code, { spkiHash: KEY_B, hostname: 'fs-agent-01' }));
    expect((await audit.list({ limit: 1 }))[0]?.after).toMatchObject({ sharedWith: [KEY_A] });
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ sharedWith: [KEY_A] }) }),
    );
  });

  it('says that it cannot tell when the store fails', async () => {
    const code = await newCode();
    await store.close();
    expect(await enrollment.enroll(request(code))).toEqual({ status: 'Unavailable' });
  });

  it('stores and logs no code', async () => {
    const code = await newCode();
    await enrollment.enroll(request(code));
    await enrollment.enroll(request('x'.repeat(43)));
    const stored = JSON.stringify([await store.enrollmentTokens.list(), await store.agents.list()]);
    expect(stored + JSON.stringify(logger.lines)).not.toContain(code);
    expect(JSON.stringify(logger.lines)).not.toContain('x'.repeat(43));
  });

  it('forgets tokens that ended a week ago', async () => {
    await newCode();
    now += TOKEN_LIFETIME_MS + 8 * 24 * 3_600_000;
    await newCode();
    expect(await store.enrollmentTokens.list()).toHaveLength(1);
  });
});
