import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type { TlsIdentity } from '@activity-gateway/pipeline/host';
import { spkiHash } from '@activity-gateway/activity';

/** The server's certificate with its key, checked, and what operators and agents see of it. */
export interface ServerCertificate {
  readonly identity: TlsIdentity;
  /** SHA-256 of the SubjectPublicKeyInfo, 64 lower-case hex digits. */
  readonly spkiHash: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly notAfter: number;
  readonly selfSigned: boolean;
}

/** The two files of a certificate, read. */
export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Checks a certificate and its key: PEM, valid now, made for each other.
 * @param now milliseconds since 1970-01-01 UTC
 * @throws GatewayError `TLS_CERTIFICATE_INVALID` naming the file that is wrong
 */
export function checkServerCertificate(files: CertificateFiles, now = Date.now()): ServerCertificate {
  const { certPath, keyPath, cert, key } = files;
  const certificate = parseCertificate(certPath, cert);
  const privateKey = parseKey(keyPath, key);
  const notBefore = Date.parse(certificate.validFrom);
  const notAfter = Date.parse(certificate.validTo);
  if (notAfter <= now) {
    throw invalid(`The server certificate ${certPath} expired at ${iso(notAfter)}.`, 'Renew it.');
  }
  if (notBefore > now) {
    throw invalid(
      `The server certificate ${certPath} is not valid before ${iso(notBefore)}.`,
      'Check the clock of this machine, or use another certificate.',
    );
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw invalid(
      `The private key ${keyPath} does not belong to the server certificate ${certPath}.`,
      'Use the key that the certificate was made for; in a chain the server certificate comes first.',
    );
  }
  const identity = { cert, key };
  checkOpenssl(certPath, identity);
  const selfSigned = certificate.checkIssued(certificate);
  return { identity, spkiHash: spkiHash(certificate), notAfter, selfSigned };
}

/** What OpenSSL itself refuses: a chain that cannot be read, a key that is too short. */
function checkOpenssl(certPath: string, identity: TlsIdentity): void {
  try {
    createSecureContext({ ...identity, minVersion: 'TLSv1.3' });
  } catch (error) {
    const hint = "Each certificate in the file must be an X.509 in PEM, with a key of today's length.";
    throw invalid(`The server certificate ${certPath} cannot be used.`, hint, error);
  }
}

function parseCertificate(path: string, pem: string): X509Certificate {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw invalid(
      `The server certificate ${path} is not PEM.`,
      'It begins with -----BEGIN CERTIFICATE-----.',
    );
  }
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw invalid(`The server certificate ${path} cannot be read.`, 'It must be an X.509 in PEM.', error);
  }
}

function parseKey(path: string, pem: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw invalid(`The private key ${path} is not PEM.`, 'It begins with -----BEGIN PRIVATE KEY-----.');
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const hint = 'It must be an unencrypted key in PEM.';
    throw invalid(`The private key ${path} cannot be read.`, hint, error);
  }
}

function invalid(message: string, hint: string, cause?: unknown): GatewayError {
  return new GatewayError('TLS_CERTIFICATE_INVALID', message, hint, { cause });
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
