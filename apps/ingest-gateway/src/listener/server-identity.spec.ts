import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TlsIdentity } from '@activity-gateway/pipeline/host';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { createTestCertificate, type TestCertificate } from '@activity-gateway/activity/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import { FileWatch } from './file-watch.js';
import { ServerIdentity } from './server-identity.js';
import { loadTlsIdentity, reloadTlsIdentity } from './tls-identity.js';

describe('ServerIdentity', () => {
  let dir: string;
  let certPath: string;
  let keyPath: string;
  let identity: ServerIdentity;
  let logger: RecordingLogger;
  let used: TlsIdentity[];
  let mended: number;
  let known: string | undefined;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'server-identity-'));
    certPath = join(dir, 'server.crt');
    keyPath = join(dir, 'server.key');
    logger = createRecordingLogger();
    used = [];
    mended = 0;
    known = undefined;
    identity = make();
  });

  function make(): ServerIdentity {
    const options = { certPath, keyPath, dataDir: dir, logger };
    return new ServerIdentity({
      logger,
      load: () => loadTlsIdentity(options),
      reload: () => reloadTlsIdentity(options),
      use: (next) => used.push(next),
      knownKey: async () => known,
      rememberKey: async (spkiHash) => void (known = spkiHash),
      watch: (changed) => new FileWatch([certPath, keyPath], changed, { settleMs: 5, pollMs: 50 }),
      filesChanged: () => (mended += 1),
    });
  }
  afterEach(async () => {
    identity.stop();
    await rm(dir, { recursive: true });
  });

  async function put(path: string, text: string): Promise<void> {
    await writeFile(`${path}.part`, text);
    await rename(`${path}.part`, path);
  }
  async function install(pair: TestCertificate): Promise<void> {
    await put(certPath, pair.certPem);
    await put(keyPath, pair.keyPem);
  }
  async function loaded(days = 365): Promise<TestCertificate> {
    const first = await createTestCertificate({ commonName: 'first', days });
    await install(first);
    await identity.start();
    await identity.load();
    expect(used.map(({ cert }) => cert)).toEqual([first.certPem]);
    return first;
  }
  const messages = (): string[] => logger.lines.map(({ message }) => message);

  it('takes a renewed pair, and clears what was wrong before', async () => {
    const first = await loaded();
    await put(certPath, 'garbage');
    await pollUntil('the complaint', () => identity.problem !== undefined);
    expect(identity.problem).toContain(`The server certificate ${certPath} is not PEM.`);
    expect(identity.certificate?.spkiHash).toBe(first.spkiHash);
    const second = await createTestCertificate({ commonName: 'second', keys: first.keys });
    await install(second);
    await pollUntil('the new pair', () => used.length === 2);
    expect(identity.problem).toBeUndefined();
    expect(used.map(({ cert }) => cert)).toEqual([first.certPem, second.certPem]);
    expect(messages().at(-1)).toBe('Server certificate renewed: new connections get it');
  });

  it('does not use a pair with another key before it is confirmed, and reports it once', async () => {
    const first = await loaded();
    const second = await createTestCertificate({ commonName: 'second' });
    await install(second);
    const change = { from: first.spkiHash, to: second.spkiHash, served: false };
    await pollUntil('the report', () => identity.keyChange !== undefined);
    expect(identity.keyChange).toEqual(change);
    expect(used).toHaveLength(1);
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'Server key changed in the certificate files; the old pair stays in use',
      fields: { ...change, hint: expect.stringContaining('gateway certificate confirm') },
    });
    expect(await identity.confirmKey()).toEqual(change);
    expect([identity.certificate?.spkiHash, known]).toEqual([second.spkiHash, second.spkiHash]);
    expect(identity.keyChange).toBeUndefined();
    await expect(identity.confirmKey()).rejects.toMatchObject({ code: 'CERTIFICATE_UNCHANGED' });
  });

  it('withdraws the report when the old key comes back', async () => {
    const first = await loaded();
    await install(await createTestCertificate({ commonName: 'second' }));
    await pollUntil('the report', () => identity.keyChange !== undefined);
    await install(await createTestCertificate({ commonName: 'third', keys: first.keys }));
    await pollUntil('the renewal', () => used.length === 2);
    expect(identity.keyChange).toBeUndefined();
  });

  it('serves another key after a restart, and reports it until it is confirmed or the old one is back', async () => {
    const first = await loaded();
    identity.stop();
    const second = await createTestCertificate({ commonName: 'second' });
    await install(second);
    const restart = async (): Promise<void> => {
      identity.stop();
      identity = make();
      await identity.start();
      await identity.load();
    };
    await restart();
    const change = { from: first.spkiHash, to: second.spkiHash, served: true };
    expect(identity.keyChange).toEqual(change);
    expect(identity.certificate?.spkiHash).toBe(second.spkiHash);
    await restart();
    expect(identity.keyChange).toEqual(change);
    await install(first);
    await pollUntil('the old key', () => identity.certificate?.spkiHash === first.spkiHash);
    expect(identity.keyChange).toBeUndefined();
    await install(second);
    await restart();
    expect(await identity.confirmKey()).toEqual(change);
    await restart();
    expect(identity.keyChange).toBeUndefined();
  });

  it('does not complain while the key of a new certificate is on its way', async () => {
    const first = await loaded();
    const second = await createTestCertificate({ commonName: 'second' });
    await put(certPath, second.certPem);
    // Long enough for the watch to have seen the certificate alone.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(identity.certificate?.spkiHash).toBe(first.spkiHash);
    await put(keyPath, second.keyPem);
    await pollUntil('the new pair', () => identity.keyChange?.to === second.spkiHash);
    expect(messages()).not.toContain('The changed server certificate is not used');
  });

  it.each([
    ['expired', async () => createTestCertificate({ commonName: 'x', days: -1 }), 'expired at'],
    [
      'not made for its key',
      async () => ({
        ...(await createTestCertificate({ commonName: 'x' })),
        keyPem: (await createTestCertificate({ commonName: 'y' })).keyPem,
      }),
      'does not belong to',
    ],
  ])('keeps the old pair when the new one is %s, and says why', async (_, make, reason) => {
    const first = await loaded();
    await install(await make());
    await pollUntil('the complaint', () => identity.problem?.includes(reason));
    expect(identity.certificate?.spkiHash).toBe(first.spkiHash);
    expect(used).toHaveLength(1);
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'The changed server certificate is not used',
      fields: { reason: expect.stringContaining(reason) },
    });
    await install(first);
    await pollUntil('the old pair again', () => identity.problem === undefined);
    expect(used).toHaveLength(1);
  });

  it('tells when the files come, as long as there is no certificate', async () => {
    await identity.start();
    await expect(identity.load()).rejects.toThrow('there is no such file');
    await install(await createTestCertificate({ commonName: 'late' }));
    await pollUntil('the sign', () => mended > 0);
    await identity.load();
    expect(used).toHaveLength(1);
  });

  it('warns of a certificate that ends soon', async () => {
    await loaded(5);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'Server certificate expires soon',
        fields: expect.objectContaining({ days: 4 }),
      }),
    );
  });

  it('catches up with what was renewed while it was stopped', async () => {
    const first = await loaded();
    identity.stop();
    const second = await createTestCertificate({ commonName: 'second', keys: first.keys });
    await install(second);
    await identity.start();
    expect(used.at(-1)?.cert).toBe(second.certPem);
  });
});
