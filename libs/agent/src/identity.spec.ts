import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnrollmentState, saveEnrollmentState } from './enrollment-state.js';
import { loadOrCreateIdentity } from './identity.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-identity-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('loadOrCreateIdentity', () => {
  it('makes a P-256 key that only its owner may read, and a certificate of it', async () => {
    const identity = await loadOrCreateIdentity(join(dir, 'agent-1'), 'FS-AGENT-01, "Ü"');
    const certificate = new X509Certificate(identity.certPem);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(certificate.subject).toContain('FS-AGENT-01');
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(identity.spkiHash).toMatch(/^[0-9a-f]{64}$/);
    expect((await stat(join(dir, 'agent-1', 'agent.key'))).mode & 0o777).toBe(0o600);
  });

  it('keeps what is there', async () => {
    const first = await loadOrCreateIdentity(dir, 'A');
    expect(await loadOrCreateIdentity(dir, 'B')).toEqual(first);
  });

  it('keeps the identity when the certificate is lost or is of another key', async () => {
    const first = await loadOrCreateIdentity(dir, 'A');
    await rm(join(dir, 'agent.crt'));
    const second = await loadOrCreateIdentity(dir, 'A');
    expect(second.spkiHash).toBe(first.spkiHash);
    const other = await loadOrCreateIdentity(join(dir, 'other'), 'A');
    await writeFile(join(dir, 'agent.crt'), other.certPem);
    expect((await loadOrCreateIdentity(dir, 'A')).spkiHash).toBe(first.spkiHash);
  });

  it('refuses a damaged key instead of replacing it', async () => {
    await writeFile(join(dir, 'agent.key'), 'not a key');
    await expect(loadOrCreateIdentity(dir, 'A')).rejects.toMatchObject({ code: 'AGENT_IDENTITY_UNUSABLE' });
    expect(await readFile(join(dir, 'agent.key'), 'utf8')).toBe('not a key');
  });
});

describe('enrollment state', () => {
  const state = { serverSpki: 'ab'.repeat(32), enrolledAt: '2026-11-20T09:15:02.187Z' };

  it('is kept over a restart', async () => {
    expect(await loadEnrollmentState(dir)).toBeUndefined();
    await saveEnrollmentState(dir, state);
    expect(await loadEnrollmentState(dir)).toEqual(state);
  });

  it.each(['', '{}', '{"serverSpki":"x"}'])('says that %j is damaged', async (text) => {
    await writeFile(join(dir, 'enrollment.json'), text);
    await expect(loadEnrollmentState(dir)).rejects.toMatchObject({ code: 'AGENT_STATE_UNREADABLE' });
  });
});
