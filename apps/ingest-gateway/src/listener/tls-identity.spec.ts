import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spkiHash } from '@activity-gateway/activity';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { checkServerCertificate } from './server-certificate.js';
import { loadTlsIdentity } from './tls-identity.js';

describe('loadTlsIdentity', () => {
  let dataDir: string;
  let certPath: string;
  let keyPath: string;
  const logger = createRecordingLogger();

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tls-identity-'));
    certPath = join(dataDir, 'own.crt');
    keyPath = join(dataDir, 'own.key');
  });

  afterEach(() => rm(dataDir, { recursive: true }));

  const load = (): ReturnType<typeof loadTlsIdentity> =>
    loadTlsIdentity({ certPath, keyPath, dataDir, logger });

  async function put(cert: string, key: string): Promise<void> {
    await writeFile(certPath, cert);
    await writeFile(keyPath, key);
  }

  it('makes a self-signed certificate once, with a notice, and loads it ever after', async () => {
    const first = await loadTlsIdentity({ dataDir, logger });
    const second = await loadTlsIdentity({ dataDir, logger });
    expect(second).toEqual(first);
    expect(first.selfSigned).toBe(true);
    expect(first.notAfter).toBeGreaterThan(Date.now() + 9.9 * 365 * 86_400_000);
    expect(logger.lines.filter((line) => line.level === 'info')).toHaveLength(1);
    const certificate = new X509Certificate(await readFile(join(dataDir, 'tls', 'server.crt')));
    expect(certificate.subject).toBe('CN=activity-ingest-gateway');
    expect(certificate.subjectAltName).toContain('DNS:activity-ingest-gateway');
    expect(certificate.subjectAltName).toContain(hostname());
    expect(first.spkiHash).toBe(spkiHash(certificate));
    expect((await stat(join(dataDir, 'tls'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'tls', 'server.key'))).mode & 0o777).toBe(0o600);
  });

  it('loads a configured pair', async () => {
    const { certPem, keyPem, spkiHash: hash } = await createTestCertificate({ commonName: 'gateway' });
    await put(certPem, keyPem);
    expect(await load()).toMatchObject({ identity: { cert: certPem, key: keyPem }, spkiHash: hash });
  });

  it('says which file is missing or cannot be read', async () => {
    await expect(load()).rejects.toMatchObject({
      code: 'TLS_CERTIFICATE_UNREADABLE',
      message: `The server certificate ${certPath} cannot be read: there is no such file.`,
    });
    await writeFile(certPath, 'x');
    keyPath = dataDir;
    await expect(load()).rejects.toThrow(`The private key ${dataDir} cannot be read: it is a directory.`);
  });

  it('says what is wrong with a pair', async () => {
    const good = await createTestCertificate({ commonName: 'good' });
    const other = await createTestCertificate({ commonName: 'other' });
    const expired = await createTestCertificate({ commonName: 'old', days: -1 });
    const cases: [string, string, string][] = [
      ['nonsense', good.keyPem, `The server certificate ${certPath} is not PEM.`],
      [good.certPem.replace(/M/g, '%'), good.keyPem, `The server certificate ${certPath} cannot be read.`],
      [good.certPem, 'nonsense', `The private key ${keyPath} is not PEM.`],
      [good.certPem, good.keyPem.replace(/M/g, '%'), `The private key ${keyPath} cannot be read.`],
      [expired.certPem, expired.keyPem, `The server certificate ${certPath} expired at `],
      [good.certPem, other.keyPem, `The private key ${keyPath} does not belong to`],
    ];
    for (const [cert, key, message] of cases) {
      await put(cert, key);
      await expect(load()).rejects.toThrow(message);
    }
  });

  it('refuses a certificate that is not valid yet', async () => {
    const { certPem: cert, keyPem: key } = await createTestCertificate({ commonName: 'soon' });
    const files = { certPath, keyPath, cert, key };
    expect(() => checkServerCertificate(files, Date.now() - 10 * 86_400_000)).toThrow('is not valid before');
  });

  it('wants both paths or neither', async () => {
    await expect(loadTlsIdentity({ certPath, dataDir, logger })).rejects.toThrow(
      "The path of the server's certificate is set, the path of its key is not.",
    );
  });
});
