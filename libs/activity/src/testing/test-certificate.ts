import 'reflect-metadata';
import { createHash, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { cryptoProvider, PemConverter, X509CertificateGenerator } from '@peculiar/x509';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** What a test may choose of a certificate. */
export interface TestCertificateOptions {
  readonly commonName: string;
  /** Days from now until it ends, 30 by default; negative makes an expired one. */
  readonly days?: number;
  /** A key pair to certify again, as an agent does that renews its certificate; a new one by default. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

/** A self-signed certificate with its key, as agents and the listener use them. */
export interface TestCertificate {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  /** 64 lower-case hex digits. */
  readonly spkiHash: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** Makes a self-signed certificate over an ECDSA P-256 key. */
export async function createTestCertificate(options: TestCertificateOptions): Promise<TestCertificate> {
  const { commonName, days = 30 } = options;
  cryptoProvider.set(webcrypto as never);
  const keys = options.keys ?? (await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']));
  const end = Date.now() + days * DAY_MS;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: `01${randomBytes(8).toString('hex')}`,
    name: `CN=${commonName}`,
    notBefore: new Date(Math.min(Date.now(), end) - DAY_MS),
    notAfter: new Date(end),
    signingAlgorithm: P256,
    keys: keys as never,
  });
  const certPem = certificate.toString('pem');
  const spki = new X509Certificate(certPem).publicKey.export({ type: 'spki', format: 'der' });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certPem,
    keyPem: PemConverter.encode(pkcs8, 'PRIVATE KEY'),
    spkiHash: createHash('sha256').update(spki).digest('hex'),
    keys,
  };
}
