import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
/** Nobody checks the dates of an agent's certificate (`docs/reference/protocol.md`, Transport): it need not be renewed. */
const VALID_DAYS = 3650;

/**
 * Makes a self-signed client certificate for a P-256 key pair.
 * @param keyPem     private key, PKCS #8, PEM
 * @param commonName name in the subject; signs other than letters, digits, `.`, `_`, `-` and blanks are left out
 * @returns the certificate, PEM
 */
export async function createSelfSignedCertificate(keyPem: string, commonName: string): Promise<string> {
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: positiveSerial(),
      name: [{ CN: [plainName(commonName)] }],
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + VALID_DAYS * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys: await importKeyPair(keyPem),
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ],
    },
    webcrypto,
  );
  return `${certificate.toString('pem')}\n`;
}

/** The name is for people only: what the syntax of names could mistake for its own signs is left out. */
function plainName(text: string): string {
  return text.replace(/[^\p{L}\p{N}._ -]/gu, '') || 'agent';
}

/** RFC 5280 4.1.2.2: a positive integer of at most 20 bytes. */
function positiveSerial(): string {
  return `01${randomBytes(15).toString('hex')}`;
}

async function importKeyPair(keyPem: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(keyPem);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey('pkcs8', pkcs8, ALGORITHM, true, ['sign']);
  const publicKey = await subtle.importKey('spki', spki, ALGORITHM, true, ['verify']);
  return { privateKey, publicKey };
}
