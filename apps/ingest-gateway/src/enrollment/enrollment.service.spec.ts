import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnrollmentRequest } from '@app/pipeline/api';
import { createRecordingLogger, type RecordingLogger } from '@app/pipeline/testing';
import { AgentsService } from '../agents/index.js';
import { createEmbeddedStore, type Store } from '../store/index.js';
import { EnrollmentService, TOKEN_LIFETIME_MS } from './enrollment.service.js';

const SERVER = '5'.repeat(64);
const KEY_A = 'a'.repeat(64);
const KEY_B = 'b'.repeat(64);

describe('EnrollmentService', () => {
  let dir: string;
  let store: Store;
  let agents: AgentsService;
  let logger: RecordingLogger;
  let enrollment: EnrollmentService;
  let now: number;

  beforeEach(async () => {
    now = 1_000_000;
    dir = await mkdtemp(join(tmpdir(), 'enrollment-'));
    store = await createEmbeddedStore(dir);
    logger = createRecordingLogger();
    agents = await AgentsService.load(store.agents, logger, () => now);
    enrollment = new EnrollmentService(store.enrollmentTokens, agents, logger, () => now);
  });
  afterEach(async () => {
    await agents.stop();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  const newCode = async (): Promise<string> =>
    (await enrollment.createToken(SERVER)).token.split('.')[1] ?? '';
  const request = (code: string, changes: Partial<EnrollmentRequest> = {}): EnrollmentRequest => ({
    code,
    spkiHash: KEY_A,
    sourceIp: '10.0.0.5',
    hostname: 'FS-AGENT-01',
    ...changes,
  });

  it('makes a token of three parts that ends after an hour', async () => {
    const { token, expiresAt } = await enrollment.createToken(SERVER);
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
    const reject = async (code: string): Promise<string> => {
      const outcome = await enrollment.enroll(request(code));
      return outcome.status === 'Rejected' ? outcome.error : outcome.status;
    };
    expect(await reject('')).toBe('InvalidCode');
    expect(await reject('x'.repeat(43))).toBe('InvalidCode');
    expect(await reject(`${second}x`)).toBe('InvalidCode');
    expect(await reject(first)).toBe('InvalidCode');
    now += TOKEN_LIFETIME_MS - 1;
    expect(await reject(second)).toBe('Enrolled');
    now += 1;
    expect(await reject(second)).toBe('ExpiredCode');
  });

  it('rejects a host that is none', async () => {
    const code = await newCode();
    const outcome = await enrollment.enroll(request(code, { hostname: 'a\nb' }));
    expect(outcome).toMatchObject({ status: 'Rejected', error: 'MalformedRequest' });
    expect(await agents.list()).toEqual([]);
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
