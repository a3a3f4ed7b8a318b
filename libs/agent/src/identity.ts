import { spkiHash } from '@activity-gateway/activity';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSelfSignedCertificate } from './certificate.js';
import { readIfThere, replaceFile } from './files.js';

/** Who an agent is: what it shows in the TLS handshake. */
export interface AgentIdentity {
  /** Self-signed certificate. */
  readonly certPem: string;
  /** Private key, PKCS #8. */
  readonly keyPem: string;
  /** SHA-256 of the certificate's SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly spkiHash: string;
}

/**
 * Reads the key pair and certificate of a directory, or makes what is missing: `agent.key` (mode 0600) and
 * `agent.crt`. A lost certificate is made again from the key, so that the identity stays the same.
 * @param commonName name in the certificate, where one has to be made
 * @throws GatewayError `AGENT_IDENTITY_UNUSABLE` when the key cannot be read or is no private key, or the directory
 *   cannot be written
 */
export async function loadOrCreateIdentity(dir: string, commonName: string): Promise<AgentIdentity> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const keyPem = await loadOrCreateKey(join(dir, 'agent.key'));
    const certPem = await loadOrCreateCertificate(join(dir, 'agent.crt'), keyPem, commonName);
    return { certPem, keyPem, spkiHash: spkiHash(new X509Certificate(certPem)) };
  } catch (error) {
    throw new GatewayError(
      'AGENT_IDENTITY_UNUSABLE',
      `The agent's key pair in ${dir} cannot be used: ${(error as Error).message}`,
      'Make the directory readable and writable, or give another one; without its key the agent must enroll again.',
      { cause: error },
    );
  }
}

async function loadOrCreateKey(path: string): Promise<string> {
  const found = await readIfThere(path);
  if (found !== undefined) {
    createPrivateKey(found);
    return found;
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  await replaceFile(path, keyPem, 0o600);
  return keyPem;
}

async function loadOrCreateCertificate(path: string, keyPem: string, commonName: string): Promise<string> {
  const found = await readIfThere(path);
  if (found !== undefined && belongsTo(found, keyPem)) return found;
  const certPem = await createSelfSignedCertificate(keyPem, commonName);
  await replaceFile(path, certPem, 0o644);
  return certPem;
}

function belongsTo(certPem: string, keyPem: string): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}
