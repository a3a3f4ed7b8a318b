import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const COMMON_NAME = 'activity-ingest-gateway';
const YEARS = 10;
const DAY_MS = 86_400_000;

/**
 * Makes a self-signed server certificate over a new P-256 key, valid for ten years, and writes both as PEM: agents are
 * given the hash of the key with their token, so no authority is needed.
 * @throws Error when the directory cannot be written
 */
export async function makeOwnCertificate(certPath: string, keyPath: string): Promise<void> {
  const { cert, key } = await selfSigned();
  await mkdir(dirname(keyPath), { recursive: true, mode: 0o700 });
  // The key first: a certificate without its key would be taken for a mistake of the user's.
  await writeWhole(keyPath, key, 0o600);
  await writeWhole(certPath, cert, 0o644);
}

async function selfSigned(): Promise<{ cert: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const now = Date.now();
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + YEARS);
  const names = [...new Set([COMMON_NAME, hostname()])].filter(isHostName);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      name: `CN=${COMMON_NAME}`,
      // A day back, for agents whose clock is behind.
      notBefore: new Date(now - DAY_MS),
      notAfter: end,
      signingAlgorithm: P256,
      keys,
      extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}

/** A crash leaves the old file or the new one, never half of one. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const part = `${path}.part`;
  await writeFile(part, text.endsWith('\n') ? text : `${text}\n`, { mode });
  await rename(part, path);
}

function isHostName(name: string): boolean {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name);
}
